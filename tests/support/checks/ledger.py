"""Compares effects with what was recorded about them: entries, events and messages.

Owns: reading the tables without the product's own code. Never: repairing or explaining anything.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

_ENTRY_OF_STATE = {"expired": "approval.expired", "cancelled": "approval.cancelled"}
_EVENTS = {
    "approval.requested": "approval.requested",
    "approval.approved": "approval.decided",
    "approval.denied": "approval.decided",
    "approval.expired": "approval.expired",
    "approval.cancelled": "approval.cancelled",
    "token.issued": "approval.redeemed",
}
"""Type of an entry → the event that the same unit of work adds."""
_STATES = {"approve": {"approved", "redeemed", "expired", "cancelled"}, "deny": {"denied"}}


@dataclass(slots=True)
class Ledger:
    """All stored data about approvals, by approval id."""

    states: dict[str, str] = field(default_factory=dict)
    decisions: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    entries: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    feed: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    outbox: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def discrepancies(self) -> list[str]:
        """Return effects without an entry or event, and entries and events without an effect."""
        unknown = (set(self.entries) | set(self.feed) | set(self.outbox)) - set(self.states)
        orphans = [f"{approval}: recorded, but not stored" for approval in unknown]
        return orphans + [text for approval in self.states for text in self._of(approval)]

    def _of(self, approval: str) -> Iterator[str]:
        state, decision = self.states[approval], self.decisions.get(approval)
        if decision is not None and state not in _STATES[decision]:
            yield f"{approval}: {state}, but the answer was {decision}"
        if decision is None and state in {"approved", "denied", "redeemed"}:
            yield f"{approval}: {state} without an answer"
        if (state == "redeemed") != (approval in self.tokens):
            yield f"{approval}: {state}, token {self.tokens.get(approval)}"
        expected = Counter(self._expected_entries(approval))
        events = Counter(_EVENTS[entry] for entry in expected)
        for kind, actual, due in (
            ("entries", self.entries[approval], expected),
            ("events", self.feed[approval], events),
            ("messages", self.outbox[approval], events),
        ):
            if actual != due:
                yield f"{approval}: {kind} {dict(actual)}, but {dict(due)} expected"

    def _expected_entries(self, approval: str) -> Iterator[str]:
        yield "approval.requested"
        if (decision := self.decisions.get(approval)) is not None:
            yield "approval.approved" if decision == "approve" else "approval.denied"
        if approval in self.tokens:
            yield "token.issued"
        if (entry := _ENTRY_OF_STATE.get(self.states[approval])) is not None:
            yield entry


def read_ledger(url: str) -> Ledger:
    """Read the ledger from the database."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    ledger = Ledger()
    with engine.connect() as connection:

        def rows(text: str) -> Mapping[str, str]:
            return {row[0]: row[1] for row in connection.execute(sa.text(text))}

        ledger.states.update(rows("SELECT id, state FROM approvals"))
        ledger.decisions.update(rows("SELECT approval_id, decision FROM decisions"))
        ledger.tokens.update(
            rows("SELECT approval_id, id FROM delegations WHERE approval_id IS NOT NULL")
        )
        for approval, kind in connection.execute(
            sa.text("SELECT approval_id, type FROM audit_entries WHERE approval_id IS NOT NULL")
        ):
            if kind in _EVENTS:
                ledger.entries[approval][kind] += 1
        for approval, event in connection.execute(
            sa.text("SELECT approval_id, event FROM feed_events WHERE approval_id IS NOT NULL")
        ):
            ledger.feed[approval][event] += 1
        for (body,) in connection.execute(sa.text("SELECT body FROM outbox")):
            message = json.loads(body)
            if "approval" in message and message["event"] in _EVENTS.values():
                ledger.outbox[message["approval"]][message["event"]] += 1
    engine.dispose()
    return ledger
