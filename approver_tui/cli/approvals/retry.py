"""`sayso-approver retry`: ask the agent of an expired request to retry."""

import click

from approver_tui.cli import completing, documents, lines, references
from approver_tui.cli.inputs import this_client
from approver_tui.cli.printing import as_json, print_result


@click.command("retry")
@click.argument("approval_id", metavar="ID", shell_complete=completing.approval_ids)
@as_json
def command(*, approval_id: str) -> None:
    """Ask the agent of an expired request to retry. Requires no PIN."""
    with this_client() as client:
        approval = client.request_retry(references.approval_id(client, approval_id))
    print_result(
        {"schema": "sayso.item/1", **documents.summary(approval)}, [lines.retry_requested(approval)]
    )
