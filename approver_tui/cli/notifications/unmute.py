"""`sayso-approver unmute`: turn on notifications for an agent."""

import click

from approver_tui.cli import completing
from approver_tui.cli.inputs import this_client
from approver_tui.cli.printing import as_json, print_result
from approver_tui.client.notifications import preferences


@click.command("unmute")
@click.argument("agent", shell_complete=completing.agents)
@as_json
def command(*, agent: str) -> None:
    """Turn notifications from an agent, by name or id, on again."""
    with this_client() as client:
        preferences.unmute(client, agent)
    print_result({"schema": "sayso.unmuted/1", "agent": agent}, ["Unmuted."])
