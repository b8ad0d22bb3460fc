"""`sayso devices`: list, revoke and enable devices."""

import click

from server.cli.opening import OpenInstallation, Printed, prints
from server.cli.output import moment, table
from server.lazy_imports import lazily
from server.model.devices import MAX_ATTEMPTS, Device

with lazily():
    from server.http.devices import device_wire


@click.group("devices")
def command() -> None:
    """Devices with which users decide."""


@command.command("list")
@click.option("--user", metavar="USER", help="Only devices of this user.")
@prints
def show_all(admin: OpenInstallation, user: str | None) -> Printed:
    """List devices, oldest first, including revoked ones."""
    devices = admin.oversight.devices(user)
    rows = [
        (d.name, d.kind, u.name if u else "", _state(d), moment(d.last_seen_at), d.id)
        for d, u in devices
    ]
    lines = table(("name", "kind", "user", "state", "last seen", "id"), rows)
    return lambda: {"items": [device_wire.managed_device(d, u) for d, u in devices]}, lines


@command.command("revoke")
@click.argument("device_id", metavar="ID")
@prints
def revoke(admin: OpenInstallation, device_id: str) -> Printed:
    """Revoke a device: it can no longer sign in or decide."""
    device, ended = admin.oversight.revoke_device(device_id, by=admin.by)
    line = "is revoked." if ended else "was already revoked."
    return _document(device), [f"The device {device.name} {line}"]


@command.command("enable")
@click.argument("device_id", metavar="ID", required=False)
@click.option(
    "--user",
    metavar="USER",
    help="Enable all devices of this user that were disabled by a restore.",
)
@prints
def enable(admin: OpenInstallation, device_id: str | None, user: str | None) -> Printed:
    """Enable a device disabled by a restore. A revoked device stays revoked."""
    if (device_id is None) == (user is None):
        raise click.UsageError("Specify one device, or use --user USER.")
    devices = admin.oversight.enable_devices(device=device_id, user=user, by=admin.by)
    lines = [f"The device {device.name} is enabled." for device in devices]
    return {"items": [_document(device) for device in devices]}, lines


def _document(device: Device) -> dict[str, object]:
    return {"id": device.id, "name": device.name, "state": device.state}


def _state(device: Device) -> str:
    locked = device.state == "active" and device.pin_tries >= MAX_ATTEMPTS
    return "locked" if locked else device.state
