"""`sayso-approver deny`: say no to one request, and why."""

import click

from approver_tui.cli import documents, lines
from approver_tui.cli.opening import this_client
from approver_tui.cli.printing import as_json, print_document, print_lines
from approver_tui.client.deciding import Decider
from approver_tui.state.decision import NOTE_LENGTH, DenyCode


@click.command("deny")
@click.argument("approval_id", metavar="ID")
@click.option(
    "--code",
    type=click.Choice([code.value for code in DenyCode]),
    required=True,
    help="Why; the agent is told.",
)
@click.option("--note", default="", help=f"A word to the agent, {NOTE_LENGTH} characters at most.")
@as_json
def command(*, approval_id: str, code: str, note: str, as_json: bool) -> None:
    """Say no to one request. Takes no PIN."""
    if len(note) > NOTE_LENGTH:
        raise click.UsageError(f"A note has at most {NOTE_LENGTH} characters.")
    with this_client() as client:
        done = Decider(client).deny(client.approval(approval_id), DenyCode(code), note)
    if as_json:
        print_document(documents.outcome(done))
    else:
        print_lines(lines.outcome(done))
