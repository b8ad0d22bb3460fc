"""`sayso-approver show`, `extend` and `retry`: act on one request without answering it."""

from dataclasses import replace

import click

from approver_tui.cli import completing, documents, lines, references
from approver_tui.cli.inputs import this_client
from approver_tui.cli.printing import as_json, local_time, print_result
from approver_tui.client.api import Client
from approver_tui.client.errors import AlreadyDecided, ApiError
from approver_tui.state.approvals.approvals import Approval, ApprovalState

_NOT_PENDING = "not_pending"


@click.command("show")
@completing.approval_argument
@click.option("--raw", is_flag=True, help="Print the two signed texts instead.")
@as_json
def show(*, approval_id: str, raw: bool) -> None:
    """Show one request in full."""
    with this_client() as client:
        approval_id = references.approval_id(client, approval_id)
        approval, now = client.approval(approval_id), client.now()
    text = lines.signed_texts(approval) if raw else lines.approval_in_full(approval, now)
    print_result(documents.approval_in_full(approval), text)


@click.command("retry")
@completing.approval_argument
@as_json
def retry(*, approval_id: str) -> None:
    """Ask the agent of an expired request to retry. Requires no PIN."""
    with this_client() as client:
        approval = client.request_retry(references.approval_id(client, approval_id))
    print_result(documents.document("sayso.item/1", approval), [lines.retry_requested(approval)])


@click.command("extend")
@completing.approval_argument
@as_json
def extend(*, approval_id: str) -> None:
    """Give a request more time: its original waiting time starts again now."""
    with this_client() as client:
        approval = _extend(client, references.approval_id(client, approval_id))
    text = f"It now expires at {local_time(approval.expires_at)}."
    print_result(documents.document("sayso.item/1", approval), [text])


def _extend(client: Client, approval_id: str) -> Approval:
    """Extend the request. Raises AlreadyDecided with the outcome if it is not waiting."""
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
