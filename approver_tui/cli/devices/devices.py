"""`sayso-approver devices`: list the user's devices; add, revoke, unlock or vouch for one."""

from collections.abc import Callable

import click

from approver_tui.cli import documents, lines, references
from approver_tui.cli.inputs import pin_stdin, read_pin, this_client
from approver_tui.cli.printing import as_json, group, local_time, print_list, print_result, rfc3339
from approver_tui.client.api import Client
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.client.errors import ApiError
from approver_tui.state.devices.devices import Device

_PinAction = Callable[[DecisionClient, Device, str], Device]


@group("devices")
def devices() -> None:
    """List your devices; revoke, unlock or vouch for one."""
    click.get_current_context().invoke(list_devices)


@devices.command("list")
@as_json
def list_devices() -> None:
    """List your devices."""
    with this_client() as client:
        all_devices, now = client.devices(), client.now()
    text = [line for device in all_devices for line in lines.device_lines(device, now)]
    print_list("sayso.devices/1", documents.to_json(all_devices), text, empty="No devices.")


@devices.command("add")
@pin_stdin
@as_json
def add(*, pin_stdin: bool) -> None:
    """Print a one-time code to log in on another machine. Requires this device's PIN."""
    pin = read_pin(from_stdin=pin_stdin)
    with this_client() as client:
        code, server = DecisionClient(client).new_one_time_code(pin), client.profile.issuer
    members = {
        "code": code.code,
        "link": code.link,
        "expires_at": rfc3339(code.expires_at),
    }
    text = [
        f"On the new machine, before {local_time(code.expires_at)}, run:",
        f"  sayso-approver login {server} --code {code.code}",
    ]
    print_result({"schema": "sayso.one-time-code/1", **members}, text)


@devices.command("revoke")
@click.argument("device_id", metavar="ID")
@as_json
def revoke(*, device_id: str) -> None:
    """Revoke a device for good. Revoking this device logs you out."""
    with this_client() as client:
        device_id = references.device_id(client, device_id)
        if device_id == client.profile.device_id:
            client.logout()
        else:
            client.revoke_device(device_id)
    print_result(
        {"schema": "sayso.device/1", "id": device_id, "state": "revoked"}, [f"Revoked {device_id}."]
    )


@devices.command("unlock")
@click.argument("device_id", metavar="ID")
@pin_stdin
@as_json
def unlock(*, device_id: str, pin_stdin: bool) -> None:
    """Unlock another device that is locked after wrong PINs. Requires this device's PIN."""
    _act_on_device(device_id, DecisionClient.unlock_device, pin_stdin=pin_stdin)


@devices.command("vouch")
@click.argument("device_id", metavar="ID")
@pin_stdin
@as_json
def vouch(*, device_id: str, pin_stdin: bool) -> None:
    """Let a new device approve high-risk requests immediately. Requires this device's PIN."""
    _act_on_device(device_id, DecisionClient.vouch_device, pin_stdin=pin_stdin)


def _act_on_device(device_id: str, action: _PinAction, *, pin_stdin: bool) -> None:
    with this_client() as client:
        target = _find_device(client, references.device_id(client, device_id))
        pin = read_pin(from_stdin=pin_stdin)
        updated = action(DecisionClient(client), target, pin)
        now = client.now()
    document = documents.document("sayso.device/1", updated)
    print_result(document, lines.device_lines(updated, now))


def _find_device(client: Client, device_id: str) -> Device:
    for device in client.devices():
        if device.id == device_id:
            return device
    raise ApiError("not_found", 404, "You have no device with that ID.")
