"""`sayso apps`: the clients that people sign in to."""

from typing import Any, Final

import click

from server.cli import members
from server.cli.clients.agent_document import new_secret_line, secret_line, with_secret
from server.cli.opening import OpenInstallation, Printed, adds, prints
from server.cli.output import Document, join_names, members_of, moment, sheet, table
from server.cli.params import overlap_option
from server.cli.split_group import SplitGroup
from server.lazy_imports import lazily
from server.model.clients import App
from server.services.clients.app_forms import AppChanges, NewApp
from server.services.clients.app_members import APP_MEMBERS
from server.services.clients.apps import NewAppSecret

with lazily():
    from server.http.clients import apps as api

_REGISTERED_BY: Final = {
    "administrator": None,
    "document": "nobody; its metadata document describes it",
    "registration": "itself",
}
_UNVERIFIED_LINES: Final = {
    "resources": "those open to unknown clients",
    "scopes": "those of open resources, except critical ones",
}


def app_lines(app: App) -> list[str]:
    """Return an app as lines of text."""
    facts = {
        "app": app.name,
        "client_id": app.id,
        "state": app.state,
        "registered by": _REGISTERED_BY[app.origin],
        "claimed name": app.claimed_name,
        **members.lines(APP_MEMBERS, app),
        **({} if app.verified else _UNVERIFIED_LINES),
        "since": moment(app.created_at),
    }
    secrets = [f"secret {secret_line(secret)}" for secret in app.secrets]
    return [*sheet(facts), *secrets, *(f"key {key['kid']}  {key['alg']}" for key in app.jwks)]


def next_lines(issuer: str, app_secret: NewAppSecret) -> list[str]:
    """Return the secret, which is shown once, and the next steps."""
    lines = []
    if app_secret.secret:
        lines = ["The secret is shown only once. Store it where the app reads it:", ""]
        lines += [f"  SECRET={app_secret.secret}", ""]
    return [
        *lines,
        "Its OAuth library needs the client_id and this issuer, and discovers the rest:",
        f"  {issuer}",
        "People who sign in need a password, and a device to approve what the app does:",
        "  sayso users password USER --password-stdin",
    ]


@click.group("apps", cls=SplitGroup, elsewhere={"invite": "clients.invitations.invite_app"})
def command() -> None:
    """Apps that people use: chat front ends, consoles, phone apps. APP is a name or a client_id.

    An unregistered app is named after its host.
    """


def _existing_app(admin: OpenInstallation, /, name: str, **_: object) -> Printed:
    app = admin.apps.show(name)
    return lambda: api.document(app), [f"{app.name} is already registered as {app.id}."]


@command.command("add")
@click.argument("name")
@members.new_flags(APP_MEMBERS)
@adds(_existing_app)
def add(admin: OpenInstallation, /, **flags: Any) -> Printed:  # noqa: ANN401  # one flag for each member
    """Register an app. Its secret, if it has one, is shown once."""
    new = NewApp(**members.read_flags(APP_MEMBERS, flags, admin.now))
    app_secret = admin.apps.add(new, by=admin.by)
    line = f"{app_secret.app.name} is registered as {app_secret.app.id}."
    return _with_secret(app_secret), [line, *next_lines(admin.issuer, app_secret)]


@command.command("list")
@click.option("--unknown", is_flag=True, help="Only unregistered apps.")
@prints
def show_all(admin: OpenInstallation, *, unknown: bool) -> Printed:
    """List apps by name."""
    apps = [app for app in admin.apps.all() if not (unknown and app.verified)]
    rows = [(app.name, app.state, app.auth_method, _scopes(app), app.id) for app in apps]
    lines = table(("name", "state", "authenticates", "scopes", "client_id"), rows)
    return lambda: {"items": [api.document(app) for app in apps]}, lines


@command.command("show")
@click.argument("name_or_id", metavar="APP")
@prints
def show(admin: OpenInstallation, name_or_id: str) -> Printed:
    """Show one app: its redirect URIs, permissions, secrets and keys."""
    app = admin.apps.show(name_or_id)
    return lambda: api.document(app), app_lines(app)


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
    **flags: Any,  # noqa: ANN401  # one flag for each member
) -> Printed:
    """Change an app. A list replaces the old list. Omitted members keep their values."""
    changes = AppChanges(enabled=enabled, **members.read_flags(APP_MEMBERS, flags, admin.now))
    app = admin.apps.update(name_or_id, changes, by=admin.by)
    return lambda: api.document(app), app_lines(app)


@command.command("rotate-secret")
@click.argument("name_or_id", metavar="APP")
@overlap_option
@prints
def rotate_secret(admin: OpenInstallation, name_or_id: str, overlap: int) -> Printed:
    """Create a new secret, shown once. The old one keeps working during the overlap."""
    app_secret = admin.apps.rotate_secret(name_or_id, by=admin.by, overlap_ms=overlap)
    lines = [new_secret_line(app_secret.app), f"  SECRET={app_secret.secret}"]
    return _with_secret(app_secret), lines


@command.command("delete")
@click.argument("name_or_id", metavar="APP")
@prints
def delete(admin: OpenInstallation, name_or_id: str) -> Printed:
    """Delete an app. Its entries in the audit log are kept."""
    app = admin.apps.delete(name_or_id, by=admin.by)
    return {"client_id": app.id, "state": "deleted"}, [f"{app.name} is deleted."]


def _with_secret(new: NewAppSecret) -> Document:
    return lambda: with_secret(members_of(api.document(new.app)), new.secret)


def _scopes(app: App) -> str:
    return join_names(app.scopes) if app.verified else "of open resources"
