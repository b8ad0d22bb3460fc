"""`sayso resources`: list, add, change and delete protected APIs."""

from shlex import quote
from typing import Any

import click

from server.cli import members
from server.cli.clients.agent_document import secret_line, with_secret
from server.cli.opening import OpenInstallation, Printed, adds, prints
from server.cli.output import Document, join_names, members_of, moment, sheet, table
from server.cli.params import overlap_option
from server.lazy_imports import lazily
from server.model.resources import Resource
from server.services.resources.resource_members import RESOURCE_MEMBERS
from server.services.resources.resources import NewResourceSecret, ResourceChanges

with lazily():
    from server.http.resources import resources as api


@click.group("resources")
def command() -> None:
    """Protected APIs. URI is the audience of their tokens."""


def _existing_resource(admin: OpenInstallation, /, uri: str, **_: object) -> Printed:
    resource = admin.resources.show(uri)
    return lambda: api.document(resource), [f"{uri} is already registered."]


@command.command("add")
@click.argument("uri")
@members.new_flags(RESOURCE_MEMBERS)
@adds(_existing_resource)
def add(admin: OpenInstallation, /, uri: str, **flags: Any) -> Printed:  # noqa: ANN401  # one flag for each member
    """Register a protected API. Its secret for introspection is shown once."""
    new = members.read_flags(RESOURCE_MEMBERS, {"uri": uri, **flags}, admin.now)
    resource_secret = admin.resources.add(**new, by=admin.by)
    lines = [
        f"{uri} is registered.",
        *_usage(admin, resource_secret),
        *_next_steps(resource_secret.resource),
    ]
    return _with_secret(resource_secret), lines


@command.command("list")
@prints
def show_all(admin: OpenInstallation) -> Printed:
    """List protected APIs."""
    resources = admin.resources.all()
    lines = table(("uri", "scopes"), [(r.uri, _scopes(r)) for r in resources])
    return lambda: {"items": [api.document(resource) for resource in resources]}, lines


@command.command("show")
@click.argument("uri")
@prints
def show(admin: OpenInstallation, uri: str) -> Printed:
    """Show one protected API."""
    resource = admin.resources.show(uri)
    return lambda: api.document(resource), _lines(resource)


@command.command("update")
@click.argument("uri")
@click.option("--remove-scope", "remove_scopes", multiple=True, help="A scope to remove.")
@members.change_flags(RESOURCE_MEMBERS)
@prints
def update(
    admin: OpenInstallation,
    /,
    uri: str,
    *,
    remove_scopes: tuple[str, ...],
    **flags: Any,  # noqa: ANN401  # one flag for each member
) -> Printed:
    """Add, change or remove scopes. Omitted scopes are kept."""
    values = members.read_flags(RESOURCE_MEMBERS, flags, admin.now)
    changes = ResourceChanges(remove_scopes=remove_scopes, **values)
    resource = admin.resources.update(uri, changes, by=admin.by)
    return lambda: api.document(resource), _lines(resource)


@command.command("rotate-secret")
@click.argument("uri")
@overlap_option
@prints
def rotate_secret(admin: OpenInstallation, uri: str, overlap: int) -> Printed:
    """Create a new secret, shown once. The old one works for the overlap."""
    resource_secret = admin.resources.rotate_secret(uri, by=admin.by, overlap_ms=overlap)
    return _with_secret(resource_secret), [
        f"{uri} has a new secret.",
        *_usage(admin, resource_secret),
    ]


@command.command("delete")
@click.argument("uri")
@prints
def delete(admin: OpenInstallation, uri: str) -> Printed:
    """Delete a protected API: its tokens and requests end, and no client can request it."""
    deleted = admin.resources.delete(uri, by=admin.by)
    lines = [
        f"{uri} is deleted.",
        f"Tokens revoked: {deleted.tokens_revoked}.",
        f"Requests canceled: {deleted.requests_cancelled}.",
        f"Agents narrowed: {join_names(deleted.agents_narrowed)}.",
        f"Apps narrowed: {join_names(deleted.apps_narrowed)}.",
    ]
    return lambda: {**members_of(api.DeletedResource.of(deleted, uri=uri)), "deleted": True}, lines


def _with_secret(new: NewResourceSecret) -> Document:
    return lambda: with_secret(members_of(api.document(new.resource)), new.secret)


def _usage(admin: OpenInstallation, resource_secret: NewResourceSecret) -> list[str]:
    """The secret, which is shown once, and the request that uses it."""
    credentials = f'-u "{resource_secret.resource.client_id}:$SECRET"'
    url = quote(f"{admin.issuer}/introspect")
    return [
        "The secret is shown only once. Store it where the API reads it:",
        f"  SECRET={resource_secret.secret}",
        "The API introspects tokens with:",
        f'  curl {credentials} --data-urlencode "token=$TOKEN" {url}',
    ]


def _lines(resource: Resource) -> list[str]:
    return sheet(
        {
            "uri": resource.uri,
            "client_id": resource.client_id,
            "secrets": join_names(secret_line(secret) for secret in resource.secrets),
            **members.lines(RESOURCE_MEMBERS, resource),
            "since": moment(resource.created_at),
        }
    )


def _scopes(resource: Resource) -> str:
    return join_names(f"{name}={risk}" for name, risk in resource.scopes.items())


def _next_steps(resource: Resource) -> list[str]:
    if not resource.scopes:
        return [f"It has no scopes. Add one: sayso resources update {resource.uri} --scope NAME"]
    scopes = " ".join(f"--scope {name}" for name in resource.scopes)
    return [
        "To register an agent that may use it:",
        f"  sayso agents add NAME --owner USER --resource {resource.uri} {scopes}",
    ]
