"""`sayso-approver devices`: list the user's devices; revoke, unlock or vouch for one."""

from collections.abc import Callable

import click

from approver_tui.cli import documents, lines
from approver_tui.cli.inputs import pin_stdin, read_pin, this_client
from approver_tui.cli.printing import as_json, print_document, print_lines
from approver_tui.client.api import Client
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.client.errors import ApiError
from approver_tui.state.devices.devices import Device

_PinAction = Callable[[DecisionClient, Device, str], Device]


@click.group("devices", invoke_without_command=True)
@as_json
@click.pass_context
def command(context: click.Context, *, as_json: bool) -> None:
    """List your devices; revoke, unlock or vouch for one."""
    if context.invoked_subcommand is None:
        _list(as_json=as_json)


@command.command("list")
@as_json
def list_devices(*, as_json: bool) -> None:
    """List your devices."""
    _list(as_json=as_json)


@command.command("revoke")
@click.argument("device_id", metavar="ID")
@as_json
def revoke(*, device_id: str, as_json: bool) -> None:
    """Revoke a device for good. Revoking this device logs you out."""
    with this_client() as client:
        if device_id == client.profile.device_id:
            client.logout()
        else:
            client.revoke_device(device_id)
    if as_json:
        print_document({"schema": "sayso.device/1", "id": device_id, "state": "revoked"})
    else:
        print_lines([f"Revoked {device_id}."])


@command.command("unlock")
@click.argument("device_id", metavar="ID")
@pin_stdin
@as_json
def unlock(*, device_id: str, pin_stdin: bool, as_json: bool) -> None:
    """Unlock another device that is locked after wrong PINs. Requires this device's PIN."""
    _with_pin(device_id, DecisionClient.unlock_device, pin_stdin=pin_stdin, as_json=as_json)


@command.command("vouch")
@click.argument("device_id", metavar="ID")
@pin_stdin
@as_json
def vouch(*, device_id: str, pin_stdin: bool, as_json: bool) -> None:
    """Let a new device approve high risk at once. Requires this device's PIN."""
    _with_pin(device_id, DecisionClient.vouch_device, pin_stdin=pin_stdin, as_json=as_json)


def _with_pin(device_id: str, action: _PinAction, *, pin_stdin: bool, as_json: bool) -> None:
    with this_client() as client:
        found = _find(client, device_id)
        pin = read_pin(from_stdin=pin_stdin)
        device = action(DecisionClient(client), found, pin)
        now = client.now()
    if as_json:
        print_document({"schema": "sayso.device/1", **documents.device(device)})
    else:
        print_lines(lines.device_lines(device, now))


def _find(client: Client, device_id: str) -> Device:
    for device in client.devices():
        if device.id == device_id:
            return device
    raise ApiError("not_found", 404, "You have no device with that id.")


def _list(*, as_json: bool) -> None:
    with this_client() as client:
        devices, now = client.devices(), client.now()
    if as_json:
        items = [documents.device(device) for device in devices]
        print_document({"schema": "sayso.devices/1", "items": items, "next": None})
    else:
        print_lines(line for device in devices for line in lines.device_lines(device, now))
