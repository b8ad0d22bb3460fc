"""What an app may be: the rules of its members, at registration and when one is changed.

Owns: reading what an administrator wrote into a record, every refusal with its remedy.
Never: writes; the uses of a checked record are in `apps.py`.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from server.protocol import names
from server.protocol.jwks import PublicKey
from server.protocol.redirects import redirect_problem
from server.services import ceilings, users
from server.services.agent_forms import known_types, read_keys
from server.services.ports import Unit
from server.services.records import App
from server.services.refusals import Conflict, Invalid, about

MOST_REDIRECTS: Final = 20


@dataclass(frozen=True, slots=True)
class NewApp:
    """An app as an administrator asks for it. `jwks` is a file's text."""

    name: str
    redirect_uris: tuple[str, ...]
    auth_method: str = "client_secret_basic"
    jwks: str = ""
    post_logout_redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = names.USUAL_APP_GRANTS
    resources: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    id_token_alg: str = "ES256"  # noqa: S105  # an algorithm
    dpop_bound: bool = False
    action_types: tuple[str, ...] | None = None
    """None for all of them."""


@dataclass(frozen=True, slots=True)
class AppChanges:
    """What becomes different; None leaves a member as it is."""

    name: str | None = None
    redirect_uris: tuple[str, ...] | None = None
    post_logout_redirect_uris: tuple[str, ...] | None = None
    jwks: str | None = None
    grant_types: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    scopes: tuple[str, ...] | None = None
    id_token_alg: str | None = None
    dpop_bound: bool | None = None
    action_types: tuple[str, ...] | None = None
    any_action: bool = False
    """It may ask for every type from now on."""
    enabled: bool | None = None


def read(tx: Unit, new: NewApp, app_id: str) -> App:
    """The record of a new app, without secrets. Raises `Invalid` or `NotFound`."""
    if new.auth_method not in names.APP_AUTH_METHODS:
        raise Invalid(
            f"--auth must be one of {', '.join(names.APP_AUTH_METHODS)}.", member="auth_method"
        )
    if bool(new.jwks) != (new.auth_method == "private_key_jwt"):
        raise Invalid("--auth private_key_jwt and --jwks FILE belong together.", member="jwks")
    app = App(
        id=app_id,
        name=users.check_called(new.name),
        auth_method=new.auth_method,
        jwks=read_keys(new.jwks) if new.jwks else (),
        redirect_uris=_unique(new.redirect_uris),
        post_logout_redirect_uris=_unique(new.post_logout_redirect_uris),
        grant_types=_unique(new.grant_types),
        resources=_unique(new.resources),
        scopes=_unique(new.scopes),
        secrets=(),
        id_token_alg=new.id_token_alg,
        dpop_bound=new.dpop_bound,
        state="enabled",
        created_at=tx.now,
        action_types=None if new.action_types is None else known_types(tx, new.action_types),
    )
    ceilings.check(tx, app.resources, app.scopes)
    return _checked(app)


def changed(tx: Unit, before: App, changes: AppChanges) -> App:
    """The record as it becomes. Raises `Invalid`, `NotFound` or `Conflict`."""
    given: dict[str, Any] = {
        name: _unique(value) if isinstance(value, tuple) else value
        for name in _AS_THEY_ARE
        if (value := getattr(changes, name)) is not None
    }
    if changes.name is not None:
        given["name"] = users.check_called(changes.name)
    if changes.jwks is not None:
        given["jwks"] = _changed_keys(before, changes.jwks)
    if changes.enabled is not None:
        given["state"] = "enabled" if changes.enabled else "disabled"
    if changes.any_action:
        given["action_types"] = None
    elif changes.action_types is not None:
        given["action_types"] = known_types(tx, changes.action_types)
    app = _checked(replace(before, **given))
    if (app.resources, app.scopes) != (before.resources, before.scopes):
        ceilings.check(tx, app.resources, app.scopes)
    return app


def facts(app: App) -> dict[str, object]:
    """What the log says of an app's rights."""
    return {
        "app": app.id,
        "name": app.name,
        "auth_method": app.auth_method,
        "redirect_uris": list(app.redirect_uris),
        "post_logout_redirect_uris": list(app.post_logout_redirect_uris),
        "grant_types": list(app.grant_types),
        "resources": list(app.resources),
        "scopes": list(app.scopes),
        "keys": [key["kid"] for key in app.jwks],
        "action_types": None if app.action_types is None else list(app.action_types),
        "dpop_bound": app.dpop_bound,
        "state": app.state,
    }


_AS_THEY_ARE: Final = (
    *("redirect_uris", "post_logout_redirect_uris", "grant_types", "resources", "scopes"),
    *("id_token_alg", "dpop_bound"),
)


@about("redirect_uris")
def _checked(app: App) -> App:
    """The app, if every member of it may stand.

    1. There is somewhere to send people back to, if it sends them here.  2. Nothing there hands a
    code to strangers.  3. Grants and algorithms exist.
    """
    if not app.redirect_uris and names.GRANT_AUTHORIZATION_CODE in app.grant_types:
        raise Invalid("An app needs an address that people come back to: --redirect-uri URI")
    for uri in (*app.redirect_uris, *app.post_logout_redirect_uris):
        if problem := redirect_problem(uri):
            raise Invalid(f"The redirect URI {uri} {problem}.")
    if max(len(app.redirect_uris), len(app.post_logout_redirect_uris)) > MOST_REDIRECTS:
        raise Invalid(f"An app has at most {MOST_REDIRECTS} redirect URIs of each kind.")
    unknown = [grant for grant in app.grant_types if grant not in names.APP_GRANTS]
    if unknown or not app.grant_types:
        raise Invalid(
            f"Grant types of an app are {', '.join(names.APP_GRANTS)}; name one.",
            member="grant_types",
        )
    if app.id_token_alg not in names.SIGNING_ALGS:
        raise Invalid(
            f"ID tokens are signed with one of {', '.join(names.SIGNING_ALGS)}.",
            member="id_token_signed_response_alg",
        )
    return app


@about("jwks")
def _changed_keys(before: App, text: str) -> tuple[PublicKey, ...]:
    if before.auth_method != "private_key_jwt":
        raise Conflict(f"{before.name} does not authenticate with keys; add another app for them.")
    return read_keys(text)


def _unique(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
