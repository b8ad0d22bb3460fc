"""`sayso apps`: the interactive clients through which people sign in."""

from collections.abc import Callable
from typing import Final, TextIO, TypedDict, TypeVar, Unpack

import click

from server.cli.app_document import app_document, app_lines, next_lines
from server.cli.opening import BY, Desk, administers
from server.cli.output import answer, if_missing_option, json_option, listed, moment, table
from server.cli.params import overlap_option
from server.protocol import names
from server.services.app_forms import AppChanges, NewApp
from server.services.refusals import Exists

GRANTS: Final = {
    names.GRANT_AUTHORIZATION_CODE: names.GRANT_AUTHORIZATION_CODE,
    names.GRANT_REFRESH_TOKEN: names.GRANT_REFRESH_TOKEN,
    "device_code": names.GRANT_DEVICE_CODE,
}
"""What `--grant` takes, and the names that the wire uses."""

_F = TypeVar("_F", bound=Callable[..., object])


class Flags(TypedDict):
    """What both `add` and `update` take."""

    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    jwks: TextIO | None
    grants: tuple[str, ...]
    resources: tuple[str, ...]
    scopes: tuple[str, ...]
    id_token_alg: str | None
    dpop_bound: bool | None
    action_types: tuple[str, ...]


class AddFlags(Flags):
    """What `add` takes beside them."""

    auth: str
    if_missing: bool


class UpdateFlags(Flags):
    """What `update` takes beside them."""

    new_name: str | None
    no_resource: bool
    no_scope: bool
    no_post_logout_redirect_uri: bool
    no_action: bool
    any_action: bool
    enabled: bool | None


@click.group("apps")
def command() -> None:
    """Apps of people: chat front ends, consoles, phones. APP is a name or a client_id."""


def _both(function: _F) -> _F:
    """The flags of `Flags`."""
    for option in reversed(
        (
            click.option(
                "--redirect-uri",
                "redirect_uris",
                multiple=True,
                help="An address to send people back to, exactly; on the loopback any port.",
            ),
            click.option(
                "--post-logout-redirect-uri",
                "post_logout_redirect_uris",
                multiple=True,
                help="An address to send people to after they signed out.",
            ),
            click.option(
                "--jwks", type=click.File("r", encoding="utf-8"), help="Its public keys, a JWK set."
            ),
            click.option(
                "--grant",
                "grants",
                multiple=True,
                type=click.Choice(list(GRANTS)),
                help="How it gets tokens; without one, by code and by refresh token.",
            ),
            click.option("--resource", "resources", multiple=True, help="A URI it may ask for."),
            click.option("--scope", "scopes", multiple=True, help="A scope it may ask for."),
            click.option(
                "--action",
                "action_types",
                multiple=True,
                metavar="TYPE",
                help="An action type it may ask for; all of them if unsaid.",
            ),
            click.option(
                "--id-token-alg",
                type=click.Choice(names.SIGNING_ALGS),
                help="How its ID tokens are signed; ES256 if unsaid.",
            ),
            click.option(
                "--dpop-bound/--no-dpop-bound",
                default=None,
                help="It gets only tokens that are bound to a key of its own.",
            ),
        )
    ):
        function = option(function)
    return function


@command.command("add")
@click.argument("name")
@click.option(
    "--auth",
    type=click.Choice(names.APP_AUTH_METHODS),
    default=names.APP_AUTH_METHODS[0],
    show_default=True,
    help="How it proves who it is; none for one that can keep no secret.",
)
@_both
@if_missing_option
@json_option
@administers
def add(desk: Desk, name: str, *, as_json: bool, **flags: Unpack[AddFlags]) -> None:
    """Register an app. Its secret, if it has one, is shown once."""
    try:
        given = desk.apps.add(_new(name, flags), by=BY)
    except Exists:
        if not flags["if_missing"]:
            raise
        app = desk.apps.show(name)
        line = f"{app.name} is registered already, as {app.id}."
        answer(app_document(app), [line], as_json=as_json)
        return
    document = app_document(given.app)
    if given.secret:
        document = {"client_id": given.app.id, "client_secret": given.secret, **document}
    line = f"{given.app.name} is registered as {given.app.id}."
    answer(document, [line, *next_lines(desk.issuer, given)], as_json=as_json)


@command.command("list")
@json_option
@administers
def show_all(desk: Desk, *, as_json: bool) -> None:
    """Every app, by name."""
    apps = desk.apps.all()
    rows = [(app.name, app.state, app.auth_method, listed(app.scopes), app.id) for app in apps]
    lines = table(("name", "state", "authenticates", "scopes", "client_id"), rows)
    answer({"items": [app_document(app) for app in apps]}, lines, as_json=as_json)


@command.command("show")
@click.argument("called", metavar="APP")
@json_option
@administers
def show(desk: Desk, called: str, *, as_json: bool) -> None:
    """One app: where it sends people, what it may ask for, its secrets and keys."""
    app = desk.apps.show(called)
    answer(app_document(app), app_lines(app), as_json=as_json)


@command.command("update")
@click.argument("called", metavar="APP")
@click.option("--name", "new_name", help="What it is called from now on.")
@_both
@click.option("--no-resource", is_flag=True, help="Take every resource away.")
@click.option("--no-scope", is_flag=True, help="Take every scope away.")
@click.option("--no-action", is_flag=True, help="It may ask for no action type.")
@click.option("--any-action", is_flag=True, help="It may ask for every action type.")
@click.option(
    "--no-post-logout-redirect-uri", is_flag=True, help="Nobody is sent anywhere after sign-out."
)
@click.option("--enable/--disable", "enabled", default=None, help="Let it go on, or stop it.")
@json_option
@administers
def update(desk: Desk, called: str, *, as_json: bool, **flags: Unpack[UpdateFlags]) -> None:
    """Change an app. A list that is given replaces the old one; what is not named stays."""
    _refuse_both(flags)
    app = desk.apps.update(called, _changes(flags), by=BY)
    answer(app_document(app), app_lines(app), as_json=as_json)


@command.command("rotate-secret")
@click.argument("called", metavar="APP")
@overlap_option
@json_option
@administers
def rotate_secret(desk: Desk, called: str, overlap: int, *, as_json: bool) -> None:
    """A new secret, shown once. The old one works for the overlap."""
    given = desk.apps.rotate_secret(called, by=BY, overlap_ms=overlap)
    ends = max((s.expires_at for s in given.app.secrets if s.expires_at), default=None)
    old = "no old secret works any more" if ends is None else f"an old one works to {moment(ends)}"
    lines = [f"{given.app.name} has a new secret; {old}.", f"  SECRET={given.secret}"]
    members = {"client_id": given.app.id, "client_secret": given.secret}
    answer({**members, "secrets": app_document(given.app)["secrets"]}, lines, as_json=as_json)


@command.command("delete")
@click.argument("called", metavar="APP")
@json_option
@administers
def delete(desk: Desk, called: str, *, as_json: bool) -> None:
    """Forget an app. What it did stays in the log."""
    app = desk.apps.delete(called, by=BY)
    answer({"client_id": app.id, "state": "deleted"}, [f"{app.name} is deleted."], as_json=as_json)


def _new(name: str, flags: AddFlags) -> NewApp:
    return NewApp(
        name=name,
        redirect_uris=flags["redirect_uris"],
        auth_method=flags["auth"],
        jwks=flags["jwks"].read() if flags["jwks"] else "",
        post_logout_redirect_uris=flags["post_logout_redirect_uris"],
        grant_types=_grants(flags) or names.USUAL_APP_GRANTS,
        resources=flags["resources"],
        scopes=flags["scopes"],
        id_token_alg=flags["id_token_alg"] or "ES256",
        dpop_bound=bool(flags["dpop_bound"]),
        action_types=flags["action_types"] or None,
    )


def _changes(flags: UpdateFlags) -> AppChanges:
    cleared = flags["no_post_logout_redirect_uri"]
    return AppChanges(
        name=flags["new_name"],
        redirect_uris=flags["redirect_uris"] or None,
        post_logout_redirect_uris=() if cleared else flags["post_logout_redirect_uris"] or None,
        jwks=flags["jwks"].read() if flags["jwks"] else None,
        grant_types=_grants(flags),
        resources=() if flags["no_resource"] else flags["resources"] or None,
        scopes=() if flags["no_scope"] else flags["scopes"] or None,
        id_token_alg=flags["id_token_alg"],
        dpop_bound=flags["dpop_bound"],
        action_types=() if flags["no_action"] else flags["action_types"] or None,
        any_action=flags["any_action"],
        enabled=flags["enabled"],
    )


def _grants(flags: Flags) -> tuple[str, ...] | None:
    return tuple(GRANTS[grant] for grant in flags["grants"]) or None


def _refuse_both(flags: UpdateFlags) -> None:
    pairs = (
        (flags["resources"], flags["no_resource"]),
        (flags["scopes"], flags["no_scope"]),
        (flags["post_logout_redirect_uris"], flags["no_post_logout_redirect_uri"]),
        (flags["action_types"], flags["no_action"]),
        (flags["action_types"] or flags["no_action"], flags["any_action"]),
    )
    if any(given and taken for given, taken in pairs):
        raise click.UsageError("Set it or take it away, not both.")
