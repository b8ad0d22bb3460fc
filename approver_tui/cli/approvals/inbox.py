"""`sayso-approver inbox`: the waiting requests.

Owns: the filter options too, which `history` shares. Never: matching, which `Filter` does.
"""

from dataclasses import replace

import click

from approver_tui.cli import documents
from approver_tui.cli.approvals import listing
from approver_tui.cli.inputs import this_client, warn_about_log
from approver_tui.cli.printing import as_json, print_document, print_result, wants_json
from approver_tui.client.wire import Page
from approver_tui.state.approvals.filters import Filter
from approver_tui.state.risks import Risk

risk_option = click.option(
    "--risk",
    type=click.Choice([level.value for level in Risk]),
    callback=lambda _context, _option, name: name and Risk(name),
    help="Only requests of this risk or higher.",
)
agent_option = click.option(
    "--agent", metavar="NAME", help="Only requests from this agent, by name or ID."
)
json_lines_option = click.option(
    "--jsonl", is_flag=True, help="Print one JSON document per request."
)


@click.command("inbox")
@risk_option
@agent_option
@json_lines_option
@as_json
def inbox(*, risk: Risk | None, agent: str | None, jsonl: bool) -> None:
    """List the requests waiting for your answer, soonest to expire first.

    Requests that you approved, but that others must still approve, are listed last. Requests that
    cannot be verified are always listed, because their risk and agent are unknown.
    """
    if jsonl and wants_json():
        raise click.UsageError("Choose one of --json and --jsonl.")
    condition = Filter(risk=risk, agent=agent)
    with this_client() as client:
        waiting, now, me = client.waiting(), client.now(), client.profile.user_id
        warn_about_log(client)
    page = replace(waiting, items=tuple(filter(condition.matches, waiting.items)))
    if jsonl:
        print_items(page)
        return
    empty = "No waiting request matches." if condition else "No requests are waiting for you."
    print_result(
        documents.document("sayso.inbox/1", page), listing.page_lines(page, now, empty=empty, me=me)
    )


def print_items(page: Page) -> None:
    """Print one document for each request, unverified ones last."""
    for approval in page.items:
        print_document(documents.document("sayso.item/1", approval))
    for row in page.unverified:
        print_document(documents.document("sayso.unverified/1", row))
