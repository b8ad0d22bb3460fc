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
    else:
        print_lines(lines.page(page, now, empty="Nothing waits for you."))
