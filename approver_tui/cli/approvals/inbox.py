"""`sayso-approver inbox`: the waiting requests."""

from dataclasses import replace

import click

from approver_tui.cli import documents
from approver_tui.cli.approvals import filtering, listing
from approver_tui.cli.inputs import this_client, warn_about_log
from approver_tui.cli.printing import as_json, print_document, print_result, wants_json
from approver_tui.client.wire import Page
from approver_tui.state.approvals.filters import Filter


@click.command("inbox")
@filtering.risk
@filtering.agent
@filtering.as_json_lines
@as_json
def command(*, risk: str | None, agent: str | None, jsonl: bool) -> None:
    """List the requests waiting for your answer, soonest to expire first.

    What you approved and others have not is listed last. Requests that cannot be verified are
    always listed: their risk and agent are unknown.
    """
    if jsonl and wants_json():
        raise click.UsageError("Choose one of --json and --jsonl.")
    condition = Filter(risk=filtering.read_risk(risk), agent=agent)
    with this_client() as client:
        waiting, now, me = client.waiting(), client.now(), client.profile.user_id
        warn_about_log(client)
    page = replace(waiting, items=tuple(filter(condition.matches, waiting.items)))
    if jsonl:
        print_items(page)
    else:
        empty_text = (
            "No waiting request matches." if condition else "No requests are waiting for you."
        )
        print_result(documents.inbox(page), listing.page_lines(page, now, empty=empty_text, me=me))


def print_items(page: Page) -> None:
    """Print one document for each request, unverified ones last."""
    for approval in page.items:
        print_document(documents.item(approval))
    for row in page.unverified:
        print_document(documents.unverified(row))
