"""`sayso apps`: clients through which people sign in."""

from typing import Any

import click

from server.cli import members
from server.cli.clients.app_document import app_document, app_lines, next_lines
from server.cli.opening import BY, OpenInstallation
from server.cli.output import if_missing_option, listed, moment, table
from server.cli.params import overlap_option
from server.cli.printed import Printed, prints
from server.services.clients.app_forms import AppChanges, NewApp
from server.services.clients.app_members import APP_MEMBERS
from server.services.refusals import Exists


@click.group("apps")
def command() -> None:
    """Apps that people use: chat front ends, consoles, phone apps. APP is a name or a client_id."""


@command.command("add")
@click.argument("name")
@members.new_flags(APP_MEMBERS)
@if_missing_option
@prints
def add(
    admin: OpenInstallation,
    /,
    *,
    if_missing: bool,
    **flags: Any,  # noqa: ANN401  # one for each member
) -> Printed:  # one for each member
    """Register an app. Its secret, if it has one, is shown once."""
    new = NewApp(**members.written(APP_MEMBERS, flags, admin.now))
    try:
        given = admin.apps.add(new, by=BY)
    except Exists:
        if not if_missing:
            raise
        app = admin.apps.show(new["name"])
        line = f"{app.name} is already registered as {app.id}."
        return app_document(app), [line]
    document = app_document(given.app)
    if given.secret:
        document = {"client_id": given.app.id, "client_secret": given.secret, **document}
    line = f"{given.app.name} is registered as {given.app.id}."
    return document, [line, *next_lines(admin.issuer, given)]


@command.command("list")
@prints
def show_all(admin: OpenInstallation) -> Printed:
    """List apps by name."""
    apps = admin.apps.all()
    rows = [(app.name, app.state, app.auth_method, listed(app.scopes), app.id) for app in apps]
    lines = table(("name", "state", "authenticates", "scopes", "client_id"), rows)
    return {"items": [app_document(app) for app in apps]}, lines


@command.command("show")
@click.argument("name_or_id", metavar="APP")
@prints
def show(admin: OpenInstallation, name_or_id: str) -> Printed:
    """Show one app: its redirect URIs, permissions, secrets and keys."""
    app = admin.apps.show(name_or_id)
    return app_document(app), app_lines(app)


@command.command("update")
@click.argument("name_or_id", metavar="APP")
@members.change_flags(APP_MEMBERS)
@click.option("--enable/--disable", "enabled", default=None, help="Enable or disable it.")
@prints
def update(
    admin: OpenInstallation,
    /,
    name_or_id: str,
    *,
    enabled: bool | None,
    **flags: Any,  # noqa: ANN401  # one for each member
) -> Printed:
    """Change an app. A list replaces the old list; omitted members stay."""
    changes = AppChanges(enabled=enabled, **members.written(APP_MEMBERS, flags, admin.now))
    app = admin.apps.update(name_or_id, changes, by=BY)
    return app_document(app), app_lines(app)


@command.command("rotate-secret")
@click.argument("name_or_id", metavar="APP")
@overlap_option
@prints
def rotate_secret(admin: OpenInstallation, name_or_id: str, overlap: int) -> Printed:
    """Create a new secret, shown once. The old one works for the overlap."""
    given = admin.apps.rotate_secret(name_or_id, by=BY, overlap_ms=overlap)
    ends = max((s.expires_at for s in given.app.secrets if s.expires_at), default=None)
    old = (
        "old secrets no longer work" if ends is None else f"the old one works until {moment(ends)}"
    )
    lines = [f"{given.app.name} has a new secret; {old}.", f"  SECRET={given.secret}"]
    members = {"client_id": given.app.id, "client_secret": given.secret}
    return {**members, "secrets": app_document(given.app)["secrets"]}, lines


@command.command("delete")
@click.argument("name_or_id", metavar="APP")
@prints
def delete(admin: OpenInstallation, name_or_id: str) -> Printed:
    """Delete an app. The audit log keeps what it did."""
    app = admin.apps.delete(name_or_id, by=BY)
    return {"client_id": app.id, "state": "deleted"}, [f"{app.name} is deleted."]
