"""`sayso users`: add, list, change, enable and disable users."""

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import click

from server.cli import members
from server.cli.opening import OpenInstallation, Printed, adds, prints
from server.cli.output import join_names, members_of, moment, sheet, table
from server.lazy_imports import lazily
from server.protocol.times import rfc3339
from server.services.users.user_members import USER_MEMBERS
from server.services.users.users import NewUser, UserChanges

with lazily():
    from server.http.users import user_wire
    from server.model.devices import Device
    from server.model.users import User
    from server.services.devices import devices as device_rules
    from server.services.devices import enrollment
    from server.services.users.enrollment_codes import IssuedCode

_OTHER_MEMBERS: Final = USER_MEMBERS[1:]
"""The members besides the name, which documents call `user`."""
_force_option: Final = click.option(
    "--force", is_flag=True, help="Change the user even if they are the last administrator."
)


@click.group("users")
def command() -> None:
    """Users. USER is a name, an email address or an ID."""


def _existing_user(admin: OpenInstallation, /, name: str, **_: object) -> Printed | None:
    for user in admin.users.all():
        if user.name.casefold() == name.casefold():
            return partial(user_document, user), [f"{user.name} already exists."]
    return None


@command.command("add")
@click.argument("name")
@members.new_flags(USER_MEMBERS)
@adds(_existing_user)
def add(admin: OpenInstallation, /, name: str, **flags: Any) -> Printed:  # noqa: ANN401  # one flag for each member
    """Add a user, with a code for their first device."""
    new = NewUser(name, **members.read_flags(_OTHER_MEMBERS, flags, admin.now))
    user, issued = admin.users.add(new, by=admin.by)
    lines = [f"Added {user.name} ({user.id}).", *code_lines(admin, user, issued)]
    return lambda: {**user_document(user), **code_document(admin, issued)}, lines


@command.command("list")
@prints
def show_all(admin: OpenInstallation) -> Printed:
    """List users by name."""
    users = admin.users.all()
    rows = [(u.name, u.state, join_names(u.roles), u.email or "", u.id) for u in users]
    lines = table(("name", "state", "roles", "email", "id"), rows)
    return lambda: {"items": [user_document(user) for user in users]}, lines


@command.command("show")
@click.argument("name_or_id", metavar="USER")
@prints
def show(admin: OpenInstallation, name_or_id: str) -> Printed:
    """Show one user and their devices."""
    user, devices = admin.users.show(name_or_id)
    return (
        lambda: {"user": user.name, **members_of(user_wire.user_details(user, devices))},
        [*_lines(admin, user), *_device_lines(devices)],
    )


@command.command("update")
@click.argument("name_or_id", metavar="USER")
@members.change_flags(USER_MEMBERS)
@_force_option
@prints
def update(admin: OpenInstallation, /, name_or_id: str, *, force: bool, **flags: Any) -> Printed:  # noqa: ANN401  # one flag for each member
    """Change the email address, the roles or the backup."""
    changes = UserChanges(**members.read_flags(USER_MEMBERS, flags, admin.now))
    user = admin.users.update(name_or_id, changes, by=admin.by, force=force)
    return lambda: user_document(user), _lines(admin, user)


@command.command("disable")
@click.argument("name_or_id", metavar="USER")
@_force_option
@prints
def disable(admin: OpenInstallation, name_or_id: str, *, force: bool) -> Printed:
    """Disable a user, cancel their requests, revoke their tokens and end their sessions."""
    disabled = admin.users.disable(name_or_id, by=admin.by, force=force)
    user, tokens, requests = disabled.user, disabled.tokens_revoked, disabled.requests_cancelled
    counts = {"tokens_revoked": tokens, "requests_cancelled": requests}
    document = {"user": user.name, "id": user.id, "state": user.state, **counts}
    lines = [
        f"{user.name} is disabled.",
        f"Tokens revoked: {tokens}.",
        f"Requests canceled: {requests}.",
        f"To enable them: sayso users enable {user.name}",
    ]
    return document, lines


@command.command("enable")
@click.argument("name_or_id", metavar="USER")
@prints
def enable(admin: OpenInstallation, name_or_id: str) -> Printed:
    """Enable a user. Their ended requests and tokens are not restored."""
    user = admin.users.enable(name_or_id, by=admin.by)
    return lambda: user_document(user), [f"{user.name} is enabled."]


@command.command("enroll")
@click.argument("name_or_id", metavar="USER")
@prints
def enroll(admin: OpenInstallation, name_or_id: str) -> Printed:
    """Create a code for another device. Earlier unused codes become invalid."""
    user, issued = admin.users.enroll(name_or_id, by=admin.by)
    document = {"user": user.name, "id": user.id, **code_document(admin, issued)}
    return document, code_lines(admin, user, issued)


@command.command("unlock")
@click.argument("name_or_id", metavar="USER")
@prints
def unlock(admin: OpenInstallation, name_or_id: str) -> Printed:
    """Unlock the devices that were locked by wrong PINs."""
    user, devices = admin.users.unlock(name_or_id, by=admin.by)
    document = {
        "user": user.name,
        "id": user.id,
        "unlocked": [{"id": device.id, "name": device.name} for device in devices],
    }
    names = join_names(device.name for device in devices)
    lines = [f"Unlocked devices of {user.name}: {names}.", *_exhausted_pin_lines(admin, user)]
    return document, lines


@command.command("password")
@click.argument("name_or_id", metavar="USER")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of stdin."
)
@click.option("--remove", is_flag=True, help="Remove the password.")
@prints
def password(
    admin: OpenInstallation, name_or_id: str, *, password_stdin: bool, remove: bool
) -> Printed:
    """Set a user's password for signing in to apps, and sign them out of every browser.

    Without a password, a user can sign in to apps only with a passkey. A password cannot approve
    or deny requests.
    """
    if password_stdin == remove:
        raise click.UsageError("Use --password-stdin and pipe the password in, or use --remove.")
    if remove:
        user = admin.passwords.remove(name_or_id, by=admin.by)
        result = "removed"
    else:
        raw = sys.stdin.readline().removeprefix("\ufeff").rstrip("\r\n")
        user = admin.passwords.set(name_or_id, raw, by=admin.by)
        result = "set"
    document = {"user": user.name, "id": user.id, "password": result}
    return document, [f"Password {result} for {user.name}."]


def code_document(admin: OpenInstallation, issued: IssuedCode) -> dict[str, object]:
    """Return the members of a JSON document with a new code."""
    return {
        "enrollment_code": issued.code,
        "enrollment_url": enrollment.link(admin.issuer, issued.code),
        "expires_at": rfc3339(issued.expires_at),
    }


def code_lines(admin: OpenInstallation, user: User, issued: IssuedCode) -> list[str]:
    """Return the code, its lifetime and the command that uses it."""
    title = f"{user.name} can enroll one device with this code. It is shown once, works once, and"
    return [
        f"{title} expires at",
        f"{moment(issued.expires_at)} (in 15 minutes):",
        "",
        f"  {issued.code}",
        "",
        "To approve in a terminal, run this on that machine:",
        f"  sayso-approver login {admin.issuer} --code {issued.code}",
        "To approve in a browser, open this page there:",
        f"  {enrollment.link(admin.issuer, issued.code)}",
    ]


def user_document(user: User) -> dict[str, object]:
    """Return a user as JSON."""
    return {"user": user.name, **members_of(user_wire.managed_user(user))}


def _lines(admin: OpenInstallation, user: User) -> list[str]:
    names = admin.users.names(backup for backup in (user.backup,) if backup)
    return sheet(
        {
            "user": user.name,
            "id": user.id,
            "state": user.state,
            **members.lines(_OTHER_MEMBERS, user, names),
            "since": moment(user.created_at),
            "disabled": None if user.disabled_at is None else moment(user.disabled_at),
        }
    )


def _exhausted_pin_lines(admin: OpenInstallation, user: User) -> list[str]:
    """Return lines about devices that cannot be unlocked after too many wrong PIN attempts."""
    return [
        f"Too many wrong PIN attempts on {device.name}. Run: sayso users enroll {user.name}"
        for device in admin.users.show(user.id)[1]
        if device.state == "active" and device.pin_unconfirmed >= device_rules.MAX_UNCONFIRMED
    ]


def _device_lines(devices: Sequence[Device]) -> list[str]:
    if not devices:
        return ["", "No devices."]
    rows = [(d.name, d.state, moment(d.last_seen_at), d.id) for d in devices]
    return ["", *table(("device", "state", "last seen", "id"), rows)]
