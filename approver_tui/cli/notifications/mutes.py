"""`sayso-approver mute`, `unmute` and `snooze`: fewer notifications.

The requests stay listed.
"""

import click

from approver_tui.cli import completing, references
from approver_tui.cli.documents import id_and_name
from approver_tui.cli.inputs import this_client
from approver_tui.cli.printing import as_json, local_time, print_result, program, rfc3339
from approver_tui.client.notifications.preferences import (
    DEFAULT_SNOOZE_MINUTES,
    NotificationPrefsClient,
)

_MONTH_MINUTES = 31 * 24 * 60


@click.command("mute")
@click.argument("agent", shell_complete=completing.agents)
@click.option(
    "--minutes",
    type=click.IntRange(1, _MONTH_MINUTES),
    help="How long. By default, until you unmute the agent.",
)
@as_json
def mute(*, agent: str, minutes: int | None) -> None:
    """Turn off notifications for an agent's low- and medium-risk requests, by name or ID."""
    with this_client() as client:
        new_mute = NotificationPrefsClient(client).mute(agent, minutes)
    until = new_mute.until
    document = {"schema": "sayso.mute/1", "agent": id_and_name(new_mute, "agent")}
    words = "until you unmute it" if until is None else f"until {local_time(until)}"
    lines = [f"Muted {new_mute.agent_name} {words}.", f"{program()} unmute {new_mute.agent_id}"]
    print_result({**document, "until": rfc3339(until)}, lines)


@click.command("unmute")
@click.argument("agent", shell_complete=completing.agents)
@as_json
def unmute(*, agent: str) -> None:
    """Turn notifications from an agent, by name or ID, on again."""
    with this_client() as client:
        NotificationPrefsClient(client).unmute(agent)
    print_result({"schema": "sayso.unmuted/1", "agent": agent}, ["Unmuted."])


@click.command("snooze")
@completing.approval_argument
@click.option(
    "--minutes",
    type=click.IntRange(1, _MONTH_MINUTES),
    default=DEFAULT_SNOOZE_MINUTES,
    show_default=True,
    help="How long to snooze.",
)
@click.option("--off", is_flag=True, help="End the snooze.")
@as_json
def snooze(*, approval_id: str, minutes: int, off: bool) -> None:
    """Be notified of a low- or medium-risk request again later."""
    with this_client() as client:
        approval_id = references.approval_id(client, approval_id)
        prefs_client = NotificationPrefsClient(client)
        if off:
            prefs_client.unsnooze(approval_id)
        until = None if off else prefs_client.snooze(approval_id, minutes).until
    document = {"schema": "sayso.snooze/1", "approval": approval_id, "until": rfc3339(until)}
    text = "Not snoozed." if until is None else f"Snoozed until {local_time(until)}."
    print_result(document, [text])
