"""What of a request a person may leave out or make less, as the server says before they wish.

Owns: the values. Never: whether a wish is really less; that is `narrowing.py`, and the server.
"""

from dataclasses import dataclass
from enum import StrEnum

from approver_tui.state.text import SafeText


class NarrowingRule(StrEnum):
    """How a fact may be made less."""

    LOWER = "lower"
    """A number or an amount: any smaller one."""
    DROP = "drop"
    """A list: some of its items left out."""
    EARLIER = "earlier"
    """A time: one before it."""
    TURN_ON = "turn_on"
    """Something that makes it harmless, such as a dry run."""


@dataclass(frozen=True, slots=True)
class NarrowableFact:
    """One fact that may be made less, as it was asked."""

    place: int
    """In which object of the details, from 0."""
    pointer: str
    """Where in it; sent back as received, not safe to draw."""
    label: SafeText
    asked: SafeText
    rule: NarrowingRule
    items: tuple[SafeText, ...] = ()
    """What a list has."""


@dataclass(frozen=True, slots=True)
class Narrowable:
    """All that may be less in one request."""

    scopes: tuple[str, ...]
    """Sent back as received, not safe to draw."""
    facts: tuple[NarrowableFact, ...]
    token_seconds: int
    """How long the token would live."""
