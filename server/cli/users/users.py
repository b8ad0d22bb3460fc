"""`sayso users`: people."""

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
    "--role", "roles", multiple=True, type=click.Choice(ROLES), help="May be said twice."
)


@click.group("users")
def command() -> None:
    """People. USER is a name, an e-mail address or an id."""


@command.command("add")
@click.argument("name")
@click.option("--email", help="Another way to name them.")
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
    """Let somebody in, with a code for their first device."""
    try:
        user, issued = admin.users.add(NewUser(name, email, roles), by=BY)
    except Exists:
        present = next((u for u in admin.users.all() if u.name.casefold() == name.casefold()), None)
        if not if_missing or present is None:
            raise
        answer(document(present), [f"{present.name} is there already."], as_json=as_json)
        return
    lines = [f"{user.name} is a user now ({user.id}).", *code_lines(admin, user, issued)]
    answer({**document(user), **code_document(admin, issued)}, lines, as_json=as_json)


@command.command("list")
@json_option
@administers
def show_all(admin: OpenInstallation, *, as_json: bool) -> None:
    """Everybody, by name."""
    users = admin.users.all()
    rows = [(u.name, u.state, listed(u.roles), u.email or "", u.id) for u in users]
    lines = table(("name", "state", "roles", "e-mail", "id"), rows)
    answer({"items": [document(user) for user in users]}, lines, as_json=as_json)


@command.command("show")
@click.argument("called", metavar="USER")
@json_option
@administers
def show(admin: OpenInstallation, called: str, *, as_json: bool) -> None:
    """One user and their devices."""
    user, devices = admin.users.show(called)
    members = {**document(user), "devices": [device_document(device) for device in devices]}
    answer(members, [*_lines(admin, user), *_device_lines(devices)], as_json=as_json)


@command.command("update")
@click.argument("called", metavar="USER")
@click.option("--email", help="The new address.")
@click.option("--no-email", is_flag=True, help="Take the address away.")
@role_option
@click.option("--no-role", is_flag=True, help="Take every role away.")
@click.option("--backup", metavar="USER", help="Who is asked too when they do not answer.")
@click.option("--no-backup", is_flag=True, help="Ask nobody else.")
@json_option
@administers
def update(  # noqa: PLR0913  # one for each flag
    admin: OpenInstallation,
    called: str,
    email: str | None,
    roles: tuple[str, ...],
    backup: str | None,
    *,
    no_email: bool,
    no_role: bool,
    no_backup: bool,
    as_json: bool,
) -> None:
    """Change the e-mail address, replace the roles, or name a backup."""
    if (no_email and email) or (no_role and roles) or (no_backup and backup):
        raise click.UsageError("Set it or take it away, not both.")
    changes = UserChanges(
        email="" if no_email else email,
        roles=roles if roles or no_role else None,
        backup="" if no_backup else backup,
    )
    user = admin.users.update(called, changes, by=BY)
    answer(document(user), _lines(admin, user), as_json=as_json)


@command.command("disable")
@click.argument("called", metavar="USER")
@json_option
@administers
def disable(admin: OpenInstallation, called: str, *, as_json: bool) -> None:
    """Stop somebody: their requests end, tokens for them are revoked, their screens close."""
    ended = admin.users.disable(called, by=BY)
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
        f"To let them go on: sayso users enable {ended.user.name}",
    ]
    answer(members, lines, as_json=as_json)


@command.command("enable")
@click.argument("called", metavar="USER")
@json_option
@administers
def enable(admin: OpenInstallation, called: str, *, as_json: bool) -> None:
    """Let somebody go on. What ended stays ended."""
    user = admin.users.enable(called, by=BY)
    answer(document(user), [f"{user.name} is enabled."], as_json=as_json)


@command.command("enrol")
@click.argument("called", metavar="USER")
@json_option
@administers
def enrol(admin: OpenInstallation, called: str, *, as_json: bool) -> None:
    """A code for one more device. Earlier unused codes end."""
    user, issued = admin.users.enrol(called, by=BY)
    members = {"user": user.name, "id": user.id, **code_document(admin, issued)}
    answer(members, code_lines(admin, user, issued), as_json=as_json)


@command.command("unlock")
@click.argument("called", metavar="USER")
@json_option
@administers
def unlock(admin: OpenInstallation, called: str, *, as_json: bool) -> None:
    """Unlock the devices that wrong PINs have locked."""
    user, devices = admin.users.unlock(called, by=BY)
    members = {
        "user": user.name,
        "id": user.id,
        "unlocked": [{"id": device.id, "name": device.name} for device in devices],
    }
    names = listed(device.name for device in devices)
    lines = [f"Unlocked devices of {user.name}: {names}.", *_worn_out(admin, user)]
    answer(members, lines, as_json=as_json)


@command.command("password")
@click.argument("called", metavar="USER")
@click.option("--password-stdin", is_flag=True, help="The first line of what is piped in.")
@click.option("--remove", is_flag=True, help="Take the password away.")
@json_option
@administers
def password(
    admin: OpenInstallation, called: str, *, password_stdin: bool, remove: bool, as_json: bool
) -> None:
    """Set the password with which somebody signs in to apps; browsers are signed out.

    There is no default: without a password nobody signs in. It never decides a request; devices do.
    """
    if password_stdin == remove:
        raise click.UsageError("Say --password-stdin and pipe it in, or --remove.")
    if remove:
        user = admin.passwords.remove(called, by=BY)
        done = "removed"
    else:
        raw = sys.stdin.readline().rstrip("\r\n")
        user = admin.passwords.set(called, raw, by=BY)
        done = "set"
    members = {"user": user.name, "id": user.id, "password": done}
    answer(members, [f"The password of {user.name} is {done}."], as_json=as_json)


def document(user: User) -> dict[str, object]:
    """A user in JSON."""
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
    """A device in JSON; its keys by their thumbprints."""
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


def _worn_out(admin: OpenInstallation, user: User) -> list[str]:
    """Devices that no unlocking helps: their PIN was called too often without success."""
    return [
        f"The PIN of {device.name} was tried too often. Run: sayso users enrol {user.name}"
        for device in admin.users.show(user.id)[1]
        if device.state == "active" and device.pin_unconfirmed >= MOST_UNCONFIRMED
    ]


def _device_lines(devices: Sequence[Device]) -> list[str]:
    if not devices:
        return ["", "No device yet."]
    rows = [(d.name, d.state, moment(d.last_seen_at), d.id) for d in devices]
    return ["", *table(("device", "state", "last seen", "id"), rows)]
