"""`sayso-approver history`: past requests."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping

import click

from approver_tui.cli import documents
from approver_tui.cli.approvals import listing
from approver_tui.cli.approvals.inbox import (
    agent_option,
    json_lines_option,
    print_items,
    risk_option,
)
from approver_tui.cli.inputs import parse_option, this_client
from approver_tui.cli.printing import as_json, print_result, rfc3339, wants_json
from approver_tui.client.api import Client
from approver_tui.client.approvals.history import search
from approver_tui.client.wire import Page
from approver_tui.state.approvals.approvals import Approval, Decided
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.filters import Filter, read_span
from approver_tui.state.risks import Risk

_FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")


def _decision_column(read: Callable[[Decided], str | None]) -> Callable[[Approval], str | None]:
    """Return a column that is empty if nobody answered."""
    return lambda approval: None if approval.decision is None else read(approval.decision)


COLUMNS: Mapping[str, Callable[[Approval], str | None]] = {
    "id": lambda approval: approval.id,
    "fingerprint": lambda approval: approval.fingerprint,
    "state": lambda approval: approval.state.value,
    "risk": lambda approval: approval.risk.value,
    "agent": lambda approval: approval.agent.name,
    "headline": lambda approval: approval.headline,
    "asked": lambda approval: rfc3339(approval.created_at),
    "decision": _decision_column(lambda decided: decided.decision.value),
    "by": _decision_column(lambda decided: decided.by_name),
    "device": _decision_column(lambda decided: decided.device_name),
    "decided": _decision_column(lambda decided: rfc3339(decided.at)),
    "code": _decision_column(lambda decided: decided.code),
    "granted": lambda approval: None if approval.granted is None else approval.granted_headline,
}
"""The name of each column, and how to read its value."""


def to_csv(approvals: Iterable[Approval]) -> str:
    """Return the header and a line for each request; each ends with CR and LF."""
    output = io.StringIO()
    writer = csv.writer(output)
    writer.writerow(COLUMNS)
    for approval in approvals:
        writer.writerow(_escape_cell(read(approval) or "") for read in COLUMNS.values())
    return output.getvalue()


def _escape_cell(text: str) -> str:
    """Escape a cell, so that an agent's name cannot become a formula."""
    return f"'{text}" if text.startswith(_FORMULA_PREFIXES) else text


_NO_DECISION = "none"


@click.command("history")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@click.option("--cursor", help="Continue from this `next` value of the previous page.")
@click.option(
    "--since", metavar="SPAN", help="Only requests that ended within 90s, 30m, 12h, 7d or 2w."
)
@click.option(
    "--decision",
    type=click.Choice([*(answer.value for answer in Answer), _NO_DECISION]),
    help="Only this decision; none if nobody answered.",
)
@risk_option
@agent_option
@json_lines_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV with a header row.")
@as_json
def history(  # noqa: PLR0913  # one argument per option
    *,
    limit: int,
    cursor: str | None,
    since: str | None,
    decision: str | None,
    risk: Risk | None,
    agent: str | None,
    jsonl: bool,
    as_csv: bool,
) -> None:
    """List past requests, newest first."""
    if sum((jsonl, as_csv, wants_json())) > 1:
        raise click.UsageError("Choose one of --json, --jsonl and --csv.")
    with this_client() as client:
        span = None if since is None else parse_option(f"--since {since}", read_span, since)
        condition = Filter(
            risk=risk,
            agent=agent,
            decision=None if decision in {None, _NO_DECISION} else Answer(decision),
            undecided=decision == _NO_DECISION,
            since=None if span is None else _server_time(client) - span,
        )
        page, now = search(client, condition, limit=limit, cursor=cursor), client.now()
    if jsonl:
        print_items(page)
    elif as_csv:
        click.echo(to_csv(page.items), nl=False)
    else:
        empty = "No past request matches." if condition else "No past requests yet."
        rows = listing.page_lines(page, now, empty=empty) + _next_page_lines(page)
        print_result(documents.document("sayso.history/1", page), rows)


def _server_time(client: Client) -> int:
    """Return the server's time, which is known only after a first call."""
    client.me()
    return client.now()


def _next_page_lines(page: Page) -> list[str]:
    if page.next is None:
        return []
    return ["", f"For older requests, add --cursor {page.next}"]
