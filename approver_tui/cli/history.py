"""`sayso-approver history`: what was decided."""

import click

from approver_tui.cli import documents, lines
from approver_tui.cli.opening import this_client
from approver_tui.cli.printing import as_json, print_document, print_lines


@click.command("history")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@click.option("--cursor", help="Where the last page ended: the `next` of its JSON.")
@as_json
def command(*, limit: int, cursor: str | None, as_json: bool) -> None:
    """List what was decided, newest first."""
    with this_client() as client:
        page, now = client.inbox("decided", limit=limit, cursor=cursor), client.now()
    if as_json:
        print_document(documents.inbox(page))
    else:
        print_lines(lines.page(page, now, empty="Nothing was decided yet."))
