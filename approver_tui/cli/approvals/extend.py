"""`sayso-approver extend`: give a request more time. Its agent sees the new expiry."""

from dataclasses import replace

import click

from approver_tui.cli import completing, documents, references
from approver_tui.cli.inputs import this_client
from approver_tui.cli.printing import as_json, local_time, print_result
from approver_tui.client.api import Client
from approver_tui.client.errors import AlreadyDecided, ApiError
from approver_tui.state.approvals.approvals import Approval, ApprovalState

_NOT_PENDING = "not_pending"


@click.command("extend")
@click.argument("approval_id", metavar="ID", shell_complete=completing.approval_ids)
@as_json
def command(*, approval_id: str) -> None:
    """Give a request more time: its original waiting time starts again now."""
    with this_client() as client:
        approval = _extend(client, references.approval_id(client, approval_id))
    print_result(
        {"schema": "sayso.item/1", **documents.summary(approval)},
        [f"It now expires at {local_time(approval.expires_at)}."],
    )


def _extend(client: Client, approval_id: str) -> Approval:
    """Extend the request. Raises AlreadyDecided with the outcome if it no longer waits."""
    try:
        return client.extend(approval_id)
    except ApiError as error:
        if error.code != _NOT_PENDING:
            raise
        approval = client.approval(approval_id)
        if approval.is_waiting(client.now()):
            raise
        if approval.state is ApprovalState.PENDING:  # the server has not marked it as expired yet
            approval = replace(approval, state=ApprovalState.EXPIRED)
        raise AlreadyDecided(error.code, error.detail, approval) from error
