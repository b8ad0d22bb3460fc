"""The life of an approval: every state, every allowed step, and nothing else.

    pending ──► approved ──► redeemed
       │            ├──────► expired
       │            └──────► cancelled
       ├──► denied
       ├──► expired
       └──► cancelled

A step is one conditional UPDATE from a state named here; whoever comes second finds the state
changed and changes nothing. Decisions count until `expires_at`, redemption half a minute longer, so
that an answer given in the last second can still be fetched.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    """Where an approval stands."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REDEEMED = "redeemed"


TRANSITIONS: Final[Mapping[State, frozenset[State]]] = MappingProxyType(
    {
        State.PENDING: frozenset({State.APPROVED, State.DENIED, State.EXPIRED, State.CANCELLED}),
        State.APPROVED: frozenset({State.REDEEMED, State.EXPIRED, State.CANCELLED}),
        State.DENIED: frozenset(),
        State.EXPIRED: frozenset(),
        State.CANCELLED: frozenset(),
        State.REDEEMED: frozenset(),
    }
)

REDEMPTION_GRACE_MS: Final = 30_000
"""How long after `expires_at` an approved request may still be redeemed."""


def origins(target: State) -> frozenset[State]:
    """The states from which `target` may be entered."""
    return frozenset(state for state, targets in TRANSITIONS.items() if target in targets)


def deadline(state: State, expires_at: int) -> int | None:
    """The moment at which a state ends by itself, in milliseconds; None when it is final."""
    if state is State.PENDING:
        return expires_at
    if state is State.APPROVED:
        return expires_at + REDEMPTION_GRACE_MS
    return None


def overdue(state: State, expires_at: int, now: int) -> bool:
    """Reports whether the clock has already ended this state."""
    end = deadline(state, expires_at)
    return end is not None and now >= end
