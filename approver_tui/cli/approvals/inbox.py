"""`sayso-approver inbox`: what waits for an answer."""

from dataclasses import replace

import click

from approver_tui.cli import documents
from approver_tui.cli.approvals import filtering, listing
from approver_tui.cli.opening import this_client
from approver_tui.cli.printing import as_json, print_document, print_lines
from approver_tui.client.wire import Page
from approver_tui.state.approvals.filters import Filter


@click.command("inbox")
@filtering.risk
@filtering.agent
@filtering.as_json_lines
@as_json
def command(*, risk: str | None, agent: str | None, jsonl: bool, as_json: bool) -> None:
    """List what waits for your answer, what expires first on top.

    What cannot be verified is always listed: nothing is known of its risk or agent.
    """
    if jsonl and as_json:
        raise click.UsageError("Choose one of --json and --jsonl.")
    wanted = Filter(risk=filtering.read_risk(risk), agent=agent)
    with this_client() as client:
        listed, now = client.waiting(), client.now()
    page = replace(listed, items=tuple(filter(wanted.fits, listed.items)))
    if jsonl:
        print_items(page)
    elif as_json:
        print_document(documents.inbox(page))
    else:
        nothing = "Nothing waits for you that fits." if wanted else "Nothing waits for you."
        print_lines(listing.page(page, now, empty=nothing))


def print_items(page: Page) -> None:
    """Print one document per request, those that cannot be verified last."""
    for approval in page.items:
        print_document(documents.item(approval))
    for row in page.unverified:
        print_document(documents.unverified(row))
