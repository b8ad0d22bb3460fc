"""Filters on approvals, and how far back a filter searches.

Owns: the conditions, when older entries cannot match, when a search pauses. Never: reading a clock,
calls to the server.
"""

from dataclasses import dataclass

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.risks import Risk

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_MAX_DIGITS = 5
_PAGE_MATCHES = 20
MAX_SCANNED = 500
"""How many entries to look at before asking the user whether to continue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Conditions that must all hold; None means any. Times are milliseconds."""

    risk: Risk | None = None
    """Only requests with this risk or a higher one."""
    agent: str | None = None
    """The agent's name or ID."""
    decision: Answer | None = None
    undecided: bool = False
    """Only requests that ended without an answer: expired, withdrawn or canceled."""
    by: str | None = None
    """Only requests answered by this user or on this device, by name or ID."""
    since: int | None = None
    """Only requests that ended at this time or later."""

    def __bool__(self) -> bool:
        """Whether there is any condition."""
        return self != Filter()

    def matches(self, approval: Approval) -> bool:
        """Return whether all conditions hold."""
        return (
            (self.risk is None or approval.risk.rank >= self.risk.rank)
            and (self.agent is None or self._is_agent(approval))
            and (self.decision is None or self._is_decision(approval))
            and (self.by is None or self._is_decided_by(approval))
            and not (self.undecided and approval.decision is not None)
            and (self.since is None or approval.ended_at >= self.since)
        )

    def is_past(self, approval: Approval) -> bool:
        """Return whether this request, and every request that ended before it, is too old."""
        return self.since is not None and approval.ended_at < self.since

    def _is_agent(self, approval: Approval) -> bool:
        name = (self.agent or "").casefold()
        return name in {approval.agent.name.casefold(), approval.agent.id.casefold()}

    def _is_decided_by(self, approval: Approval) -> bool:
        if (decided := approval.decision) is None:
            return False
        names = (decided.by_name, decided.by_id, decided.device_name, decided.device_id)
        return (self.by or "").casefold() in {name.casefold() for name in names}

    def _is_decision(self, approval: Approval) -> bool:
        return approval.decision is not None and approval.decision.decision is self.decision


def read_span(text: str) -> int:
    """Return `90s`, `30m`, `12h`, `7d` or `2w` in milliseconds. Raises ValueError."""
    number, unit = text[:-1], text[-1:]
    is_number = number.isascii() and number.isdigit() and len(number) <= _MAX_DIGITS
    if not is_number or unit not in _UNITS:
        raise ValueError("use a number and a unit, such as 90s, 30m, 12h, 7d or 2w")
    return int(number) * _UNITS[unit] * 1_000


@dataclass(frozen=True, slots=True)
class SearchSpan:
    """One search; it pauses after enough matches or enough entries."""

    max_matches: int = _PAGE_MATCHES
    max_scanned: int = MAX_SCANNED

    @classmethod
    def continuing(cls, matching: int, scanned: int) -> "SearchSpan":
        """Return the search that continues one with these counts."""
        return cls(matching + _PAGE_MATCHES, scanned + MAX_SCANNED)

    def should_continue(self, matching: int, scanned: int) -> bool:
        """Whether to look at more entries."""
        return matching < self.max_matches and scanned < self.max_scanned
