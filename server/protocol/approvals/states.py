"""The states of an approval and the allowed transitions.

    pending ──► approved ──► redeemed
       │            ├──────► expired
       │            └──────► cancelled
       ├──► denied
       ├──► expired
       └──► cancelled

A transition is one conditional UPDATE; if two are concurrent, the second changes nothing.
Decisions are accepted until `expires_at`. An approved request can be redeemed for 30 more seconds,
so that an agent can still fetch an answer given in the last second.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """The state of an approval."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REDEEMED = "redeemed"


TRANSITIONS: Final[Mapping[State, frozenset[State]]] = {
    State.PENDING: frozenset({State.APPROVED, State.DENIED, State.EXPIRED, State.CANCELLED}),
    State.APPROVED: frozenset({State.REDEEMED, State.EXPIRED, State.CANCELLED}),
    State.DENIED: frozenset(),
    State.EXPIRED: frozenset(),
    State.CANCELLED: frozenset(),
    State.REDEEMED: frozenset(),
}

REDEMPTION_GRACE_MS: Final = 30_000
"""How long after `expires_at` an approved request may still be redeemed."""


def origins(target: State) -> frozenset[State]:
    """Return the states from which `target` can be reached."""
    return frozenset(state for state, targets in TRANSITIONS.items() if target in targets)


def deadline(state: State, expires_at: int) -> int | None:
    """Return when a state expires, in milliseconds, or None for a final state."""
    if state is State.PENDING:
        return expires_at
    if state is State.APPROVED:
        return expires_at + REDEMPTION_GRACE_MS
    return None


def overdue(state: State, expires_at: int, now: int) -> bool:
    """Return whether the state is past its deadline."""
    end = deadline(state, expires_at)
    return end is not None and now >= end
