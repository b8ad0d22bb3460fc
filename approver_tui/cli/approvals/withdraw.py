"""`sayso-approver withdraw`: withdraw one's own approval while others must still approve."""

from functools import partial

import click

from approver_tui.cli import completing, documents, references
from approver_tui.cli.approvals.confirming import report_progress, send_and_confirm
from approver_tui.cli.inputs import this_client
from approver_tui.cli.printing import as_json, print_result
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.state.approvals.votes import withdrawn_text


@click.command("withdraw")
@click.argument("approval_id", metavar="ID", shell_complete=completing.approval_ids)
@as_json
def command(*, approval_id: str) -> None:
    """Withdraw your approval while others must still approve. Requires no PIN.

    The request then waits for your answer again: you can approve it or deny it.
    """
    with this_client() as client:
        decider = DecisionClient(client)
        approval = client.approval(references.approval_id(client, approval_id))
        done = send_and_confirm(decider, partial(decider.withdraw, approval), report_progress)
    print_result(
        {"schema": "sayso.item/1", **documents.summary(done)}, [withdrawn_text(done.vote_tally)]
    )
