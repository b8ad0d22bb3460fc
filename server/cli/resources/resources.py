"""`sayso resources`: list, add, change and delete protected APIs."""

from shlex import quote
from typing import TypedDict, Unpack

import click

from server.cli.clients.agent_document import secret_document, secret_line
from server.cli.opening import BY, OpenInstallation, administers
from server.cli.output import (
    answer,
    if_missing_option,
    json_option,
    listed,
    moment,
    rfc3339,
    sheet,
    table,
)
from server.cli.params import ScopeNeed, ScopeRisk, overlap_option
from server.model.resources import Resource
from server.protocol.policy.risks import Risk
from server.services.refusals import Exists
from server.services.resources.resources import NewResourceSecret, ResourceChanges

scope_option = click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=ScopeRisk(),
    help="A scope and its risk: low, medium (default), high or critical.",
)
requires_option = click.option(
    "--requires",
    multiple=True,
    type=ScopeNeed(),
    help="The action type that a request for the scope must have.",
)

seconds_option = click.option(
    "--token-seconds", type=int, help="Maximum lifetime of its tokens; 10 to 3600."
)

default_option = click.option(
    "--default-scope",
    "default_scopes",
    multiple=True,
    help="A scope for requests that name none.",
)

unknown_option = click.option(
    "--unknown-clients/--no-unknown-clients",
    "unknown_clients",
    default=None,
    help="Whether apps that nobody registered may ask for its scopes.",
)


class ResourceFlags(TypedDict):
    """Flags of `add` and `update`."""

    scopes: tuple[tuple[str, Risk], ...]
    requires: tuple[tuple[str, str], ...]
    token_seconds: int | None
    default_scopes: tuple[str, ...]
    unknown_clients: bool | None


class ResourceUpdateFlags(ResourceFlags):
    """Flags of `update`."""

    without: tuple[str, ...]
    no_token_seconds: bool
    no_default_scope: bool


@click.group("resources")
def command() -> None:
    """Protected APIs. URI is the audience of their tokens."""


@command.command("add")
@click.argument("uri")
@scope_option
@requires_option
@seconds_option
@default_option
@unknown_option
@if_missing_option
@json_option
@administers
def add(
    admin: OpenInstallation,
    uri: str,
    *,
    if_missing: bool,
    as_json: bool,
    **flags: Unpack[ResourceFlags],
) -> None:
    """Register a protected API. Its secret, with which it introspects tokens, is shown once."""
    try:
        given = admin.resources.add(
            uri,
            dict(flags["scopes"]),
            dict(flags["requires"]),
            by=BY,
            token_seconds=flags["token_seconds"],
            default_scopes=flags["default_scopes"],
            unknown_clients=bool(flags["unknown_clients"]),
        )
    except Exists:
        if not if_missing:
            raise
        line = f"{uri} is already registered."
        answer(_document(admin.resources.show(uri)), [line], as_json=as_json)
        return
    lines = [f"{uri} is registered.", *_usage(admin, given), *_next(given.resource)]
    answer(_with_secret(given), lines, as_json=as_json)


@command.command("list")
@json_option
@administers
def show_all(admin: OpenInstallation, *, as_json: bool) -> None:
    """List protected APIs."""
    found = admin.resources.all()
    lines = table(("uri", "scopes"), [(r.uri, _scopes(r)) for r in found])
    answer({"items": [_document(resource) for resource in found]}, lines, as_json=as_json)


@command.command("show")
@click.argument("uri")
@json_option
@administers
def show(admin: OpenInstallation, uri: str, *, as_json: bool) -> None:
    """Show one protected API."""
    resource = admin.resources.show(uri)
    answer(_document(resource), _lines(resource), as_json=as_json)


@command.command("update")
@click.argument("uri")
@scope_option
@click.option("--remove-scope", "without", multiple=True, help="A scope to remove.")
@requires_option
@seconds_option
@click.option("--no-token-seconds", is_flag=True, help="Remove the lifetime limit.")
@default_option
@click.option("--no-default-scope", is_flag=True, help="Requests must name their scopes.")
@unknown_option
@json_option
@administers
def update(
    admin: OpenInstallation, uri: str, *, as_json: bool, **flags: Unpack[ResourceUpdateFlags]
) -> None:
    """Add, change or remove scopes. Omitted scopes stay."""
    if flags["token_seconds"] is not None and flags["no_token_seconds"]:
        raise click.UsageError("Set a value or remove it, not both.")
    if flags["default_scopes"] and flags["no_default_scope"]:
        raise click.UsageError("Set default scopes or remove them, not both.")
    keep = not flags["default_scopes"] and not flags["no_default_scope"]
    changes = ResourceChanges(
        dict(flags["scopes"]),
        flags["without"],
        dict(flags["requires"]),
        flags["token_seconds"],
        usual_token_seconds=flags["no_token_seconds"],
        default_scopes=None if keep else flags["default_scopes"],
        unknown_clients=flags["unknown_clients"],
    )
    resource = admin.resources.update(uri, changes, by=BY)
    answer(_document(resource), _lines(resource), as_json=as_json)


@command.command("rotate-secret")
@click.argument("uri")
@overlap_option
@json_option
@administers
def rotate_secret(admin: OpenInstallation, uri: str, overlap: int, *, as_json: bool) -> None:
    """Create a new secret, shown once. The old one works for the overlap."""
    given = admin.resources.rotate_secret(uri, by=BY, overlap_ms=overlap)
    answer(
        _with_secret(given), [f"{uri} has a new secret.", *_usage(admin, given)], as_json=as_json
    )


@command.command("delete")
@click.argument("uri")
@json_option
@administers
def delete(admin: OpenInstallation, uri: str, *, as_json: bool) -> None:
    """Delete a protected API: its tokens and requests end, and no client may ask for it."""
    deleted = admin.resources.delete(uri, by=BY)
    members = {
        "uri": uri,
        "deleted": True,
        "tokens_revoked": deleted.tokens_revoked,
        "requests_cancelled": deleted.requests_cancelled,
        "agents_narrowed": list(deleted.agents_narrowed),
        "apps_narrowed": list(deleted.apps_narrowed),
    }
    lines = [
        f"{uri} is deleted.",
        f"Tokens revoked: {deleted.tokens_revoked}.",
        f"Requests cancelled: {deleted.requests_cancelled}.",
        f"Agents narrowed: {listed(deleted.agents_narrowed)}.",
        f"Apps narrowed: {listed(deleted.apps_narrowed)}.",
    ]
    answer(members, lines, as_json=as_json)


def _with_secret(given: NewResourceSecret) -> dict[str, object]:
    return {
        "client_id": given.resource.client_id,
        "client_secret": given.secret,
        **_document(given.resource),
    }


def _usage(admin: OpenInstallation, given: NewResourceSecret) -> list[str]:
    """The secret, which is shown once, and the request that uses it."""
    credentials = f'-u "{given.resource.client_id}:$SECRET"'
    url = quote(f"{admin.issuer}/introspect")
    return [
        "Its secret is shown once. Keep it where the API reads it:",
        f"  SECRET={given.secret}",
        "The API introspects tokens with:",
        f'  curl {credentials} --data-urlencode "token=$TOKEN" {url}',
    ]


def _document(resource: Resource) -> dict[str, object]:
    return {
        "uri": resource.uri,
        "client_id": resource.client_id,
        "scopes": {name: str(risk) for name, risk in resource.scopes.items()},
        "requires": dict(resource.requires),
        "secrets": [secret_document(secret) for secret in resource.secrets],
        "token_seconds": resource.token_seconds,
        "default_scopes": list(resource.default_scopes),
        "unknown_clients": resource.unknown_clients,
        "created_at": rfc3339(resource.created_at),
    }


def _lines(resource: Resource) -> list[str]:
    needs = (f"{scope} needs {kind}" for scope, kind in resource.requires.items())
    return sheet(
        {
            "uri": resource.uri,
            "client_id": resource.client_id,
            "secrets": listed(secret_line(secret) for secret in resource.secrets),
            "scopes": _scopes(resource),
            "requires": listed(needs),
            "default scopes": listed(resource.default_scopes) or None,
            "open to": "apps that nobody registered" if resource.unknown_clients else None,
            "token life": _life(resource.token_seconds),
            "since": moment(resource.created_at),
        }
    )


def _life(seconds: int | None) -> str | None:
    return None if seconds is None else f"{seconds} seconds"


def _scopes(resource: Resource) -> str:
    return listed(f"{name}={risk}" for name, risk in resource.scopes.items())


def _next(resource: Resource) -> list[str]:
    if not resource.scopes:
        return [f"It has no scopes. Add one: sayso resources update {resource.uri} --scope NAME"]
    scopes = " ".join(f"--scope {name}" for name in resource.scopes)
    return [
        "To register an agent that may use it:",
        f"  sayso agents add NAME --owner USER --resource {resource.uri} {scopes}",
    ]
