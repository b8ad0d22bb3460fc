"""`sayso-approver inbox`: what waits for an answer."""

import click

from approver_tui.cli import documents, lines
from approver_tui.cli.opening import this_client
from approver_tui.cli.printing import as_json, print_document, print_lines


@click.command("inbox")
@as_json
def command(*, as_json: bool) -> None:
    """List what waits for your answer, what expires first on top."""
    with this_client() as client:
        page, now = client.waiting(), client.now()
    if as_json:
        print_document(documents.inbox(page))
    elif page.items:
        print_lines(line for approval in page.items for line in lines.row(approval, now))
    else:
        print_lines(["Nothing waits for you."])
