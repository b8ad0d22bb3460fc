"""Validates an app's fields together, when it is registered and when it changes.

Owns: turning an administrator's input into a record. Never: writing, or checking a single
member; `apps.py` stores records, and `app_members.py` has the checks.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from server.model.clients import App
from server.model.store import Unit
from server.protocol import names
from server.protocol.clients.redirects import redirect_problem
from server.services import members
from server.services.clients.app_members import APP_MEMBERS
from server.services.members import Written, members_for_update, names_of
from server.services.refusals import Conflict, Invalid, error_member
from server.services.resources import resource_checks

MAX_REDIRECTS: Final = 20


class NewApp(Written):
    """A new app, as described by an administrator. `jwks` is the text of a file."""

    member_names = names_of(APP_MEMBERS)

    def __init__(self, name: str, redirect_uris: Sequence[str] = (), **values: object) -> None:
        super().__init__(name=name, redirect_uris=redirect_uris, **values)


class AppChanges(Written):
    """Changed members of an app, and whether it is enabled."""

    member_names = names_of(members_for_update(APP_MEMBERS)) | {"enabled"}


def new_record(tx: Unit, new: NewApp, app_id: str) -> App:
    """Return the record of a new app, without secrets. Raises `Invalid` or `NotFound`."""
    app = App(
        id=app_id,
        state="enabled",
        created_at=tx.now,
        **members.initial_values(tx, APP_MEMBERS, new),
    )
    if bool(app.jwks) != (app.auth_method == "private_key_jwt"):
        raise Invalid(
            "`jwks` is required for `auth_method` private_key_jwt, and not allowed for other "
            "methods.",
            member="jwks",
        )
    resource_checks.check_permissions(tx, app.resources, app.scopes)
    _check_redirects(app)
    return app


def changed_record(tx: Unit, before: App, changes: AppChanges) -> App:
    """Return the changed record. Raises `Invalid`, `NotFound` or `Conflict`."""
    if not before.verified and changes.keys() - {"enabled"}:
        raise Conflict(
            f"{before.name} was not registered by an administrator, so it cannot be changed. You "
            "can disable or delete it."
        )
    if "jwks" in changes and before.auth_method != "private_key_jwt":
        raise Conflict(
            f"{before.name} does not authenticate with keys. To use keys, register a new app.",
            member="jwks",
        )
    app = replace(before, **members.check_changes(tx, APP_MEMBERS, changes))
    if (enabled := changes.get("enabled")) is not None:
        app = replace(app, state="enabled" if enabled else "disabled")
    _check_redirects(app)
    if (app.resources, app.scopes) != (before.resources, before.scopes):
        resource_checks.check_permissions(tx, app.resources, app.scopes)
    return app


def facts(app: App) -> dict[str, object]:
    """Return the facts about an app for the audit log."""
    return {"app": app.id, **members.facts(APP_MEMBERS, app), "state": app.state}


@error_member("redirect_uris")
def _check_redirects(app: App) -> None:
    """Check that an app that uses codes has a redirect URI, and that all redirect URIs are safe."""
    if not app.redirect_uris and names.GRANT_AUTHORIZATION_CODE in app.grant_types:
        raise Invalid("An app that uses authorization codes needs a redirect URI.")
    for uri in (*app.redirect_uris, *app.post_logout_redirect_uris):
        if problem := redirect_problem(uri):
            raise Invalid(f"The redirect URI {uri} {problem}.")
    if max(len(app.redirect_uris), len(app.post_logout_redirect_uris)) > MAX_REDIRECTS:
        raise Invalid(f"An app can have at most {MAX_REDIRECTS} redirect URIs of each kind.")
