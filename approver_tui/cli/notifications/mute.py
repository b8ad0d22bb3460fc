"""`sayso-approver mute`: turn off notifications for an agent. Its requests stay listed."""

import click

from approver_tui.cli import completing
from approver_tui.cli.inputs import this_client
from approver_tui.cli.printing import as_json, local_time, print_result, rfc3339
from approver_tui.client.notifications import preferences

_MONTH = 31 * 24 * 60


@click.command("mute")
@click.argument("agent", shell_complete=completing.agents)
@click.option(
    "--minutes",
    type=click.IntRange(1, _MONTH),
    help="How long. By default, until you unmute the agent.",
)
@as_json
def command(*, agent: str, minutes: int | None) -> None:
    """Turn off notifications for an agent's low- and medium-risk requests, by name or id."""
    with this_client() as client:
        mute = preferences.mute(client, agent, minutes)
    who = {"id": mute.agent_id, "name": mute.agent_name}
    until = "until you unmute it" if mute.until is None else f"until {local_time(mute.until)}"
    print_result(
        {"schema": "sayso.mute/1", "agent": who, "until": rfc3339(mute.until)},
        [f"Muted {mute.agent_name} {until}.", f"sayso-approver unmute {mute.agent_id}"],
    )
