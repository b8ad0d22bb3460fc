"""`sayso resources`: protected APIs."""

import click

from server.cli.opening import BY, Desk, administers
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
from server.cli.params import ScopeNeed, ScopeRisk
from server.protocol.risks import Risk
from server.services.records import Resource
from server.services.refusals import Exists
from server.services.resources import ResourceChanges

scope_option = click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=ScopeRisk(),
    help="A scope and its risk: low, medium (unsaid), high or critical.",
)
requires_option = click.option(
    "--requires",
    multiple=True,
    type=ScopeNeed(),
    help="The action type that a request for the scope must carry.",
)


@click.group("resources")
def command() -> None:
    """Protected APIs, named by the URI that their tokens carry as audience."""


@command.command("add")
@click.argument("uri")
@scope_option
@requires_option
@if_missing_option
@json_option
@administers
def add(
    desk: Desk,
    uri: str,
    scopes: tuple[tuple[str, Risk], ...],
    requires: tuple[tuple[str, str], ...],
    *,
    if_missing: bool,
    as_json: bool,
) -> None:
    """Register a protected API."""
    try:
        resource = desk.resources.add(uri, dict(scopes), dict(requires), by=BY)
    except Exists:
        if not if_missing:
            raise
        line = f"{uri} is registered already."
        answer(_document(desk.resources.show(uri)), [line], as_json=as_json)
        return
    answer(_document(resource), [f"{uri} is registered.", *_next(resource)], as_json=as_json)


@command.command("list")
@json_option
@administers
def show_all(desk: Desk, *, as_json: bool) -> None:
    """Every protected API."""
    found = desk.resources.all()
    lines = table(("uri", "scopes"), [(r.uri, _scopes(r)) for r in found])
    answer({"items": [_document(resource) for resource in found]}, lines, as_json=as_json)


@command.command("show")
@click.argument("uri")
@json_option
@administers
def show(desk: Desk, uri: str, *, as_json: bool) -> None:
    """One protected API."""
    resource = desk.resources.show(uri)
    answer(_document(resource), _lines(resource), as_json=as_json)


@command.command("update")
@click.argument("uri")
@scope_option
@click.option("--remove-scope", "without", multiple=True, help="A scope that goes.")
@requires_option
@json_option
@administers
def update(
    desk: Desk,
    uri: str,
    scopes: tuple[tuple[str, Risk], ...],
    without: tuple[str, ...],
    requires: tuple[tuple[str, str], ...],
    *,
    as_json: bool,
) -> None:
    """Add scopes, change their risk, take them away. What is not named stays."""
    changes = ResourceChanges(dict(scopes), without, dict(requires))
    resource = desk.resources.update(uri, changes, by=BY)
    answer(_document(resource), _lines(resource), as_json=as_json)


@command.command("delete")
@click.argument("uri")
@json_option
@administers
def delete(desk: Desk, uri: str, *, as_json: bool) -> None:
    """Forget a protected API: open requests for it end, no agent may ask for it any more."""
    deleted = desk.resources.delete(uri, by=BY)
    members = {
        "uri": uri,
        "deleted": True,
        "requests_cancelled": deleted.requests_cancelled,
        "agents_narrowed": list(deleted.agents_narrowed),
    }
    lines = [
        f"{uri} is deleted.",
        f"Requests cancelled: {deleted.requests_cancelled}.",
        f"Agents narrowed: {listed(deleted.agents_narrowed)}.",
    ]
    answer(members, lines, as_json=as_json)


def _document(resource: Resource) -> dict[str, object]:
    return {
        "uri": resource.uri,
        "scopes": {name: str(risk) for name, risk in resource.scopes.items()},
        "requires": dict(resource.requires),
        "created_at": rfc3339(resource.created_at),
    }


def _lines(resource: Resource) -> list[str]:
    needs = (f"{scope} needs {kind}" for scope, kind in resource.requires.items())
    return sheet(
        {
            "uri": resource.uri,
            "scopes": _scopes(resource),
            "requires": listed(needs),
            "since": moment(resource.created_at),
        }
    )


def _scopes(resource: Resource) -> str:
    return listed(f"{name}={risk}" for name, risk in resource.scopes.items())


def _next(resource: Resource) -> list[str]:
    if not resource.scopes:
        return [f"It has no scopes. Add one: sayso resources update {resource.uri} --scope NAME"]
    scopes = " ".join(f"--scope {name}" for name in resource.scopes)
    return [
        "To let an agent ask for it:",
        f"  sayso agents add NAME --owner USER --resource {resource.uri} {scopes}",
    ]
