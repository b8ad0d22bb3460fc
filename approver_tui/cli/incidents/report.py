"""`sayso-approver report`: "I did not ask for this". It only removes access, so it needs no PIN."""

import click

from approver_tui.cli import completing, documents, lines, references
from approver_tui.cli.inputs import this_client
from approver_tui.cli.printing import as_json, print_result
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.state.approvals.decision import NOTE_LENGTH
from approver_tui.state.incidents.reports import ReportScope


@click.command("report")
@completing.approval_argument
@click.option("--every-agent", is_flag=True, help="Quarantine every agent that acts for you.")
@click.option(
    "--note", default="", help=f"A note to administrators, at most {NOTE_LENGTH} characters."
)
@as_json
def report(*, approval_id: str, every_agent: bool, note: str) -> None:
    """Report a request that you did not ask for: denies it and quarantines its agent.

    The agent's tokens and other requests end for all users. Only an administrator can release it.
    A request that was already answered can be reported too.
    """
    if len(note) > NOTE_LENGTH:
        raise click.UsageError(f"A note can have at most {NOTE_LENGTH} characters.")
    scope = ReportScope.EVERY_AGENT if every_agent else ReportScope.AGENT
    with this_client() as client:
        approval = client.approval(references.approval_id(client, approval_id))
        report_result = DecisionClient(client).report(approval, scope, note)
    print_result(
        documents.document("sayso.report/1", report_result), lines.report_lines(report_result)
    )
