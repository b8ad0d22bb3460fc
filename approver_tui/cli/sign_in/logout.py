"""`sayso-approver logout`: sign this device out and delete its keys."""

import click

from approver_tui.cli.inputs import this_client
from approver_tui.cli.printing import as_json, print_document, print_lines


@click.command("logout")
@as_json
def command(*, as_json: bool) -> None:
    """Sign this device out and delete its keys."""
    with this_client() as client:
        device, was_told = client.profile, client.logout()
    if as_json:
        print_document(
            {
                "schema": "sayso.logout/1",
                "device": {"id": device.device_id, "name": device.device_name},
                "server_told": was_told,
            }
        )
    elif was_told:
        print_lines(["Logged out. The server has revoked this device."])
    else:
        print_lines(
            [
                "Logged out here, but the server could not be reached.",
                f"Revoke {device.device_id} from another device, or ask an administrator.",
            ]
        )
