"""`sayso-approver snooze`: be notified of a request later. It stays listed."""

import click

from approver_tui.cli import completing, references
from approver_tui.cli.inputs import this_client
from approver_tui.cli.printing import as_json, local_time, print_result, rfc3339
from approver_tui.client.notifications import preferences

_MONTH = 31 * 24 * 60


@click.command("snooze")
@click.argument("approval_id", metavar="ID", shell_complete=completing.approval_ids)
@click.option(
    "--minutes",
    type=click.IntRange(1, _MONTH),
    default=preferences.DEFAULT_SNOOZE_MINUTES,
    show_default=True,
    help="How long to snooze.",
)
@click.option("--off", is_flag=True, help="End the snooze.")
@as_json
def command(*, approval_id: str, minutes: int, off: bool) -> None:
    """Be notified of a low- or medium-risk request again later."""
    with this_client() as client:
        approval_id = references.approval_id(client, approval_id)
        if off:
            preferences.unsnooze(client, approval_id)
        until = None if off else preferences.snooze(client, approval_id, minutes).until
    document = {"schema": "sayso.snooze/1", "approval": approval_id, "until": rfc3339(until)}
    text = "Not snoozed." if until is None else f"Snoozed until {local_time(until)}."
    print_result(document, [text])
