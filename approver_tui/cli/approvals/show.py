"""`sayso-approver show`: one request in full."""

import click

from approver_tui.cli import completing, documents, lines, references
from approver_tui.cli.inputs import this_client
from approver_tui.cli.printing import as_json, print_result


@click.command("show")
@click.argument("approval_id", metavar="ID", shell_complete=completing.approval_ids)
@click.option("--raw", is_flag=True, help="Print the two signed texts instead.")
@as_json
def command(*, approval_id: str, raw: bool) -> None:
    """Show one request in full."""
    with this_client() as client:
        approval_id = references.approval_id(client, approval_id)
        approval, now = client.approval(approval_id), client.now()
    text = lines.signed_texts(approval) if raw else lines.approval_in_full(approval, now)
    print_result(documents.approval_in_full(approval), text)
