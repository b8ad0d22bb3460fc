"""Which parts of a request can be reduced, as the server reports before the user chooses.

Owns: the values. Never: whether a proposal is really smaller; `narrowing.py` and the server check
that.
"""

from dataclasses import dataclass
from enum import StrEnum

from approver_tui.state.text import SafeText


class NarrowingRule(StrEnum):
    """How a fact can be reduced."""

    LOWER = "lower"
    """A number or an amount: any smaller one."""
    DROP = "drop"
    """A list: without some of its items."""
    EARLIER = "earlier"
    """A time: one before it."""
    TURN_ON = "turn_on"
    """Something that makes it harmless, such as a dry run."""


@dataclass(frozen=True, slots=True)
class NarrowableFact:
    """One fact that can be reduced, with its requested value."""

    place: int
    """The index of its object in the details."""
    pointer: str
    """The pointer within it; sent back as received, not safe to draw."""
    label: SafeText
    asked: SafeText
    rule: NarrowingRule
    items: tuple[SafeText, ...] = ()
    """The items of a list."""


@dataclass(frozen=True, slots=True)
class Narrowable:
    """Everything that can be reduced in one request."""

    scopes: tuple[str, ...]
    """Sent back as received, not safe to draw."""
    facts: tuple[NarrowableFact, ...]
    token_seconds: int
    """The token lifetime."""
