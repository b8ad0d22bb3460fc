"""`sayso-approver logout`: sign this device out and delete its keys."""

import click

from approver_tui.cli.inputs import this_client
from approver_tui.cli.printing import as_json, print_result


@click.command("logout")
@as_json
def command() -> None:
    """Sign this device out and delete its keys."""
    with this_client() as client:
        device, is_revoked = client.profile, client.logout()
    text = ["Logged out. The server has revoked this device."]
    if not is_revoked:
        text = [
            "Logged out here, but the server could not be reached.",
            f"Revoke {device.device_id} from another device, or ask an administrator.",
        ]
    login = {"id": device.device_id, "name": device.device_name}
    print_result({"schema": "sayso.logout/1", "device": login, "server_told": is_revoked}, text)
