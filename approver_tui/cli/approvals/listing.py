"""Lists of requests as plain text without cursor movement.

Owns: the wording of a list and its entries. Never: text that is not SafeText, JSON; a request in
full (`lines.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from approver_tui.cli.lines import status_text
from approver_tui.client.wire import Page
from approver_tui.state.approvals.approvals import Approval, Kind
from approver_tui.state.approvals.inbox import by_agent, waits_for_others
from approver_tui.state.approvals.look_alikes import group_by_look
from approver_tui.state.text import pluralize


def page_lines(page: Page, now: int, *, empty: str, me: str = "") -> list[str]:
    """Return the lines of a page, with rows that failed verification; `empty` if it has none.

    Requests that this user approved, but that others must still approve, come last.
    """
    mine, others = by_turn(page, me)
    alerting = [approval for approval in mine.items if not approval.is_held_back]
    text = _rows(alerting, now) + held_back_lines(mine, now) + unverified_rows(mine) or [empty]
    return text + (["WAITING FOR OTHERS", *_rows(others, now)] if others else [])


def by_turn(page: Page, me: str) -> tuple[Page, tuple[Approval, ...]]:
    """Return the page with only the requests waiting for this user, and the other requests."""
    others = tuple(approval for approval in page.items if waits_for_others(approval, me))
    mine = tuple(approval for approval in page.items if approval not in others)
    return replace(page, items=mine), others


def held_back_lines(page: Page, now: int) -> list[str]:
    """Return the held-back requests under a heading with their agents."""
    approvals = [approval for approval in page.items if approval.is_held_back]
    if not approvals:
        return []
    by_agent_text = ", ".join(f"{count} from {name}" for name, count in by_agent(approvals))
    heading = f"HELD BACK, too many at once: {by_agent_text}"
    return [heading, *_rows(approvals, now)]


def waiting_count_text(page: Page) -> str:
    """Return how many requests are waiting, and how many more failed verification."""
    unverified = len(page.unverified)
    also = f", and {unverified} that cannot be verified" if unverified else ""
    return f"{len(page.items)}{also}"


def entry_lines(approval: Approval, now: int) -> list[str]:
    """Return an approval as an entry of a list."""
    return [
        approval.outcome_headline,
        "  " + f"{approval.id}  {approval.fingerprint}  {approval.risk.value} risk",
        "  " + f"{_requester_for(approval)}, {status_text(approval, now)}",
    ]


def numbered_lines(
    approvals: Sequence[Approval], numbers: Mapping[str, int], now: int
) -> list[str]:
    """Return approvals as numbered entries, risk first; look-alikes share an entry."""
    return [
        line for group in group_by_look(approvals) for line in _group_entry(group, numbers, now)
    ]


def _group_entry(group: Sequence[Approval], numbers: Mapping[str, int], now: int) -> list[str]:
    first, *others = group
    lines = [
        f"{numbers[first.id]}. {first.risk.value.upper()} RISK: {first.outcome_headline}",
        f"   {_requester_for(first)}, {status_text(first, now)}",
    ]
    if not others:
        return lines
    group_numbers = ", ".join(str(numbers[entry.id]) for entry in group)
    return [*lines, f"   x {len(group)}: {group_numbers} look alike. Answer each separately."]


def _rows(approvals: Iterable[Approval], now: int) -> list[str]:
    """Return entries; waiting look-alikes share a heading."""
    groups = group_by_look(approvals)
    return [line for group in groups for line in _group_rows(group, now)]


def _group_rows(group: Sequence[Approval], now: int) -> list[str]:
    if len(group) == 1 or not all(entry.is_waiting(now) for entry in group):
        return [line for entry in group for line in entry_lines(entry, now)]
    heading = f"{group[0].outcome_headline}  x {len(group)}, look alike; answer each separately"
    return [heading, *(line for entry in group for line in entry_lines(entry, now)[1:])]


def unverified_rows(page: Page) -> list[str]:
    """Return the rows that failed verification."""
    title = "NOT VERIFIED: this request cannot be read or answered here."
    rows = ((title, f"  {row.id}", f"  {row.problem}") for row in page.unverified)
    return [line for row in rows for line in row]


def waiting_sentence(number: int) -> str:
    """Return how many requests are waiting, as the start of a sentence."""
    if not number:
        return "No requests are waiting"
    return pluralize(number, "request is waiting", "requests are waiting")


def _requester_for(approval: Approval) -> str:
    for_user = "" if approval.vote_tally is None else f" for {approval.display.user_name}"
    return _requester(approval) + for_user


def _requester(approval: Approval) -> str:
    if approval.kind is Kind.DEVICE:
        return f"a device at {approval.display.asked_from}"
    if approval.kind is Kind.APP_ACTION:
        return f"the app {approval.agent.name}"
    if approval.kind is Kind.APP_DEVICE:
        return f"{approval.agent.name} on a device at {approval.display.asked_from}"
    return approval.agent.asks_as
