"""`sayso-approver extend`: let a request wait longer. Its agent reads the new end."""

import click

from approver_tui.cli import documents
from approver_tui.cli.opening import this_client
from approver_tui.cli.printing import as_json, local_time, print_document, print_lines


@click.command("extend")
@click.argument("approval_id", metavar="ID")
@as_json
def command(*, approval_id: str, as_json: bool) -> None:
    """Let a request wait as long again as it was given at first, from now."""
    with this_client() as client:
        approval = client.extend(approval_id)
    if as_json:
        print_document({"schema": "sayso.item/1", **documents.summary(approval)})
    else:
        print_lines([f"It waits until {local_time(approval.expires_at)}."])
