"""What an app may be: what its members mean together, at registration and when one is changed.

Owns: reading what an administrator wrote into a record. Never: writes, or the check of one member;
the uses of a checked record are in `apps.py`, the checks stand in `app_members.py`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from server.model.clients import App
from server.model.store import Unit
from server.protocol import names
from server.protocol.clients.redirects import redirect_problem
from server.services import members
from server.services.clients import ceilings
from server.services.clients.app_members import APP_MEMBERS
from server.services.members import Written
from server.services.refusals import Conflict, Invalid, about

MOST_REDIRECTS: Final = 20
_NAMES = frozenset(member.name for member in APP_MEMBERS)
_FINAL = frozenset(member.name for member in APP_MEMBERS if member.final)


class NewApp(Written):
    """An app as an administrator asks for it. `jwks` is a file's text."""

    known = _NAMES

    def __init__(self, name: str, redirect_uris: Sequence[str] = (), **given: object) -> None:
        super().__init__(name=name, redirect_uris=redirect_uris, **given)


class AppChanges(Written):
    """What becomes different, and whether it may go on."""

    known = (_NAMES - _FINAL) | {"enabled"}


def read(tx: Unit, new: NewApp, app_id: str) -> App:
    """The record of a new app, without secrets. Raises `Invalid` or `NotFound`."""
    app = App(
        id=app_id,
        secrets=(),
        state="enabled",
        created_at=tx.now,
        **members.started(tx, APP_MEMBERS, new),
    )
    if bool(app.jwks) != (app.auth_method == "private_key_jwt"):
        raise Invalid("--auth private_key_jwt and --jwks FILE belong together.", member="jwks")
    ceilings.check(tx, app.resources, app.scopes)
    _check_redirects(app)
    return app


def changed(tx: Unit, before: App, changes: AppChanges) -> App:
    """The record as it becomes. Raises `Invalid`, `NotFound` or `Conflict`."""
    if "jwks" in changes and before.auth_method != "private_key_jwt":
        raise Conflict(
            f"{before.name} does not authenticate with keys; add another app for them.",
            member="jwks",
        )
    app = replace(before, **members.changed(tx, APP_MEMBERS, changes))
    if (enabled := changes.get("enabled")) is not None:
        app = replace(app, state="enabled" if enabled else "disabled")
    _check_redirects(app)
    if (app.resources, app.scopes) != (before.resources, before.scopes):
        ceilings.check(tx, app.resources, app.scopes)
    return app


def facts(app: App) -> dict[str, object]:
    """What the log says of an app."""
    return {"app": app.id, **members.facts(APP_MEMBERS, app), "state": app.state}


@about("redirect_uris")
def _check_redirects(app: App) -> None:
    """Look at where people are sent back to.

    1. There is somewhere, if the app sends them here.  2. Nothing there hands a code to strangers.
    """
    if not app.redirect_uris and names.GRANT_AUTHORIZATION_CODE in app.grant_types:
        raise Invalid("An app needs an address that people come back to: --redirect-uri URI")
    for uri in (*app.redirect_uris, *app.post_logout_redirect_uris):
        if problem := redirect_problem(uri):
            raise Invalid(f"The redirect URI {uri} {problem}.")
    if max(len(app.redirect_uris), len(app.post_logout_redirect_uris)) > MOST_REDIRECTS:
        raise Invalid(f"An app has at most {MOST_REDIRECTS} redirect URIs of each kind.")
