"""`sayso users`: add, list, change, enable and disable users."""

import sys
from collections.abc import Sequence

import click

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
from server.cli.users.enrolling import code_document, code_lines
from server.model.devices import MOST_TRIES, Device
from server.model.users import User
from server.services.devices.devices import MOST_UNCONFIRMED
from server.services.refusals import Exists
from server.services.users.users import ROLES, NewUser, UserChanges

role_option = click.option(
    "--role", "roles", multiple=True, type=click.Choice(ROLES), help="Can be repeated."
)


@click.group("users")
def command() -> None:
    """Users. USER is a name, an email address or an ID."""


@command.command("add")
@click.argument("name")
@click.option("--email", help="Their email address, which also identifies them.")
@role_option
@if_missing_option
@json_option
@administers
def add(
    admin: OpenInstallation,
    name: str,
    email: str | None,
    roles: tuple[str, ...],
    *,
    if_missing: bool,
    as_json: bool,
) -> None:
    """Add a user, with a code for their first device."""
    try:
        user, issued = admin.users.add(NewUser(name, email, roles), by=BY)
    except Exists:
        present = next((u for u in admin.users.all() if u.name.casefold() == name.casefold()), None)
        if not if_missing or present is None:
            raise
        answer(user_document(present), [f"{present.name} already exists."], as_json=as_json)
        return
    lines = [f"{user.name} is added ({user.id}).", *code_lines(admin, user, issued)]
    answer({**user_document(user), **code_document(admin, issued)}, lines, as_json=as_json)


@command.command("list")
@json_option
@administers
def show_all(admin: OpenInstallation, *, as_json: bool) -> None:
    """List users by name."""
    users = admin.users.all()
    rows = [(u.name, u.state, listed(u.roles), u.email or "", u.id) for u in users]
    lines = table(("name", "state", "roles", "e-mail", "id"), rows)
    answer({"items": [user_document(user) for user in users]}, lines, as_json=as_json)


@command.command("show")
@click.argument("name_or_id", metavar="USER")
@json_option
@administers
def show(admin: OpenInstallation, name_or_id: str, *, as_json: bool) -> None:
    """Show one user and their devices."""
    user, devices = admin.users.show(name_or_id)
    members = {**user_document(user), "devices": [device_document(device) for device in devices]}
    answer(members, [*_lines(admin, user), *_device_lines(devices)], as_json=as_json)


@command.command("update")
@click.argument("name_or_id", metavar="USER")
@click.option("--email", help="The new email address.")
@click.option("--no-email", is_flag=True, help="Remove the email address.")
@role_option
@click.option("--no-role", is_flag=True, help="Remove every role.")
@click.option("--backup", metavar="USER", help="Who is asked next if they do not answer.")
@click.option("--no-backup", is_flag=True, help="Remove the backup.")
@json_option
@administers
def update(  # noqa: PLR0913  # one for each flag
    admin: OpenInstallation,
    name_or_id: str,
    email: str | None,
    roles: tuple[str, ...],
    backup: str | None,
    *,
    no_email: bool,
    no_role: bool,
    no_backup: bool,
    as_json: bool,
) -> None:
    """Change the email address, the roles or the backup."""
    if (no_email and email) or (no_role and roles) or (no_backup and backup):
        raise click.UsageError("Set a value or remove it, not both.")
    changes = UserChanges(
        email="" if no_email else email,
        roles=roles if roles or no_role else None,
        backup="" if no_backup else backup,
    )
    user = admin.users.update(name_or_id, changes, by=BY)
    answer(user_document(user), _lines(admin, user), as_json=as_json)


@command.command("disable")
@click.argument("name_or_id", metavar="USER")
@json_option
@administers
def disable(admin: OpenInstallation, name_or_id: str, *, as_json: bool) -> None:
    """Disable a user: their requests end, tokens for them are revoked, their sessions close."""
    ended = admin.users.disable(name_or_id, by=BY)
    members = {
        "user": ended.user.name,
        "id": ended.user.id,
        "state": ended.user.state,
        "tokens_revoked": ended.tokens_revoked,
        "requests_cancelled": ended.requests_cancelled,
    }
    lines = [
        f"{ended.user.name} is disabled.",
        f"Tokens revoked: {ended.tokens_revoked}.",
        f"Requests cancelled: {ended.requests_cancelled}.",
        f"To enable them: sayso users enable {ended.user.name}",
    ]
    answer(members, lines, as_json=as_json)


@command.command("enable")
@click.argument("name_or_id", metavar="USER")
@json_option
@administers
def enable(admin: OpenInstallation, name_or_id: str, *, as_json: bool) -> None:
    """Enable a user. What ended stays ended."""
    user = admin.users.enable(name_or_id, by=BY)
    answer(user_document(user), [f"{user.name} is enabled."], as_json=as_json)


@command.command("enrol")
@click.argument("name_or_id", metavar="USER")
@json_option
@administers
def enrol(admin: OpenInstallation, name_or_id: str, *, as_json: bool) -> None:
    """Create a code for another device. Earlier unused codes end."""
    user, issued = admin.users.enrol(name_or_id, by=BY)
    members = {"user": user.name, "id": user.id, **code_document(admin, issued)}
    answer(members, code_lines(admin, user, issued), as_json=as_json)


@command.command("unlock")
@click.argument("name_or_id", metavar="USER")
@json_option
@administers
def unlock(admin: OpenInstallation, name_or_id: str, *, as_json: bool) -> None:
    """Unlock the devices that wrong PINs have locked."""
    user, devices = admin.users.unlock(name_or_id, by=BY)
    members = {
        "user": user.name,
        "id": user.id,
        "unlocked": [{"id": device.id, "name": device.name} for device in devices],
    }
    names = listed(device.name for device in devices)
    lines = [f"Unlocked devices of {user.name}: {names}.", *_exhausted_pins(admin, user)]
    answer(members, lines, as_json=as_json)


@command.command("password")
@click.argument("name_or_id", metavar="USER")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of stdin."
)
@click.option("--remove", is_flag=True, help="Remove the password.")
@json_option
@administers
def password(
    admin: OpenInstallation, name_or_id: str, *, password_stdin: bool, remove: bool, as_json: bool
) -> None:
    """Set a user's password for signing in to apps; signs them out of every browser.

    Without a password a user cannot sign in to apps. It never decides a request; devices do.
    """
    if password_stdin == remove:
        raise click.UsageError("Use --password-stdin and pipe the password in, or use --remove.")
    if remove:
        user = admin.passwords.remove(name_or_id, by=BY)
        done = "removed"
    else:
        raw = sys.stdin.readline().rstrip("\r\n")
        user = admin.passwords.set(name_or_id, raw, by=BY)
        done = "set"
    members = {"user": user.name, "id": user.id, "password": done}
    answer(members, [f"The password of {user.name} is {done}."], as_json=as_json)


def user_document(user: User) -> dict[str, object]:
    """Return a user as JSON."""
    return {
        "user": user.name,
        "id": user.id,
        "email": user.email,
        "roles": list(user.roles),
        "state": user.state,
        "backup": user.backup,
        "created_at": rfc3339(user.created_at),
        "disabled_at": rfc3339(user.disabled_at),
    }


def device_document(device: Device) -> dict[str, object]:
    """Return a device as JSON, with the thumbprints of its keys."""
    return {
        "id": device.id,
        "name": device.name,
        "kind": device.kind,
        "state": device.state,
        "created_at": rfc3339(device.created_at),
        "last_seen_at": rfc3339(device.last_seen_at),
        "high_from": rfc3339(device.high_from),
        "keys": dict(device.kids),
        "pin": {
            "tries": device.pin_tries,
            "locked": device.pin_tries >= MOST_TRIES,
            "exhausted": device.pin_unconfirmed >= MOST_UNCONFIRMED,
        },
    }


def _lines(admin: OpenInstallation, user: User) -> list[str]:
    return sheet(
        {
            "user": user.name,
            "id": user.id,
            "e-mail": user.email,
            "roles": listed(user.roles),
            "state": user.state,
            "backup": listed(admin.users.names(one for one in (user.backup,) if one).values()),
            "since": moment(user.created_at),
            "disabled": None if user.disabled_at is None else moment(user.disabled_at),
        }
    )


def _exhausted_pins(admin: OpenInstallation, user: User) -> list[str]:
    """Devices that cannot be unlocked: their PIN was tried too often without success."""
    return [
        f"The PIN of {device.name} was tried too often. Run: sayso users enrol {user.name}"
        for device in admin.users.show(user.id)[1]
        if device.state == "active" and device.pin_unconfirmed >= MOST_UNCONFIRMED
    ]


def _device_lines(devices: Sequence[Device]) -> list[str]:
    if not devices:
        return ["", "No devices."]
    rows = [(d.name, d.state, moment(d.last_seen_at), d.id) for d in devices]
    return ["", *table(("device", "state", "last seen", "id"), rows)]
