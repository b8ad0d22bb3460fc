"""`sayso-approver history`: past requests."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping

import click

from approver_tui.cli import documents
from approver_tui.cli.approvals import filtering, listing
from approver_tui.cli.approvals.inbox import print_items
from approver_tui.cli.inputs import this_client
from approver_tui.cli.printing import as_json, print_result, rfc3339, wants_json
from approver_tui.client.api import Client
from approver_tui.client.approvals.history import SearchResult, search
from approver_tui.state.approvals.approvals import Approval, Decided
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.filters import Filter

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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
    return f"'{text}" if text.startswith(_FORMULA) else text


_NO_DECISION = "none"


@click.command("history")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@click.option("--cursor", help="Continue after a page: the `next` value of its JSON.")
@click.option(
    "--since", metavar="SPAN", help="Only requests that ended in the last 90s, 30m, 12h, 7d or 2w."
)
@click.option(
    "--decision",
    type=click.Choice([*(answer.value for answer in Answer), _NO_DECISION]),
    help="Only this decision; none means nobody answered.",
)
@filtering.risk
@filtering.agent
@filtering.as_json_lines
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV with a header row.")
@as_json
def command(  # noqa: PLR0913  # one argument per option
    *,
    limit: int,
    cursor: str | None,
    since: str | None,
    decision: str | None,
    risk: str | None,
    agent: str | None,
    jsonl: bool,
    as_csv: bool,
) -> None:
    """List past requests, newest first."""
    if sum((jsonl, as_csv, wants_json())) > 1:
        raise click.UsageError("Choose one of --json, --jsonl and --csv.")
    with this_client() as client:
        condition = Filter(
            risk=filtering.read_risk(risk),
            agent=agent,
            decision=None if decision in {None, _NO_DECISION} else Answer(decision),
            undecided=decision == _NO_DECISION,
            since=_parse_since(client, since),
        )
        result, now = search(client, condition, limit=limit, cursor=cursor), client.now()
    if jsonl:
        print_items(result.page)
    elif as_csv:
        click.echo(to_csv(result.page.items), nl=False)
    else:
        print_result(
            documents.history(result.page),
            listing.page_lines(result.page, now, empty=_empty_text(condition))
            + _next_page_lines(result),
        )


def _parse_since(client: Client, since: str | None) -> int | None:
    """Return the start on the server's clock, which is known only after a first call."""
    if filtering.read_since(since, 0) is None:
        return None
    client.me()
    return filtering.read_since(since, client.now())


def _empty_text(condition: Filter) -> str:
    return "No past request matches." if condition else "No past requests yet."


def _next_page_lines(result: SearchResult) -> list[str]:
    if result.page.next is None:
        return []
    return ["", f"For older requests, add --cursor {result.page.next}"]
