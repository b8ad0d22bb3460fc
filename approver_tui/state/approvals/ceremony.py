"""What a yes takes beside confirming it: steps, and what a person types for them.

Owns: the steps, their one spelling, the words for them. Never: whether an entry is right; the
server compares it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from approver_tui.state.text import SafeText


class Step(StrEnum):
    """One thing to do beside confirming."""

    MATCH = "match"
    """Type the number that the agent shows."""
    PIN = "pin"
    """Enter the PIN for this very request."""
    REASON = "reason"
    """Say why, for the record."""
    TYPE_BACK = "type_back"
    """Type a fact of the request."""

    @property
    def what(self) -> SafeText:
        """What it takes, to go on after "takes"."""
        return _WHAT[self]


_WHAT: Final = {
    Step.MATCH: SafeText("the three digits that the agent shows"),
    Step.PIN: SafeText("your PIN"),
    Step.REASON: SafeText("a reason for the record"),
    Step.TYPE_BACK: SafeText("a fact of it, typed back"),
}

Ceremony: TypeAlias = frozenset[Step]

CONFIRM: Final[Ceremony] = frozenset()
NO_CEREMONY: Final = "none"
"""How a no is signed: it takes nothing."""

REASON_LENGTH: Final = 500
"""The longest reason, in characters."""

_CONFIRM = "confirm"


def spelled(ceremony: Ceremony) -> str:
    """Return the one text that stands for these steps; it is signed."""
    return "+".join(sorted(ceremony)) or _CONFIRM


def read_ceremony(text: str) -> Ceremony:
    """Return the steps that a text stands for. Raises ValueError for any that is not known."""
    if text == _CONFIRM:
        return CONFIRM
    steps = frozenset(map(Step, text.split("+")))
    if spelled(steps) != text:
        raise ValueError("steps stand in the order of the alphabet, each once")
    return steps


class FactKind(StrEnum):
    """How much of a fact is typed, and what it is."""

    LAST_FOUR = "last_four"
    MONEY = "money"
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class TypeBack:
    """The fact to type: what it is called, and of which kind it is."""

    label: SafeText
    kind: FactKind

    @property
    def prompt(self) -> SafeText:
        """What stands before the field."""
        part = "Last 4 of " if self.kind is FactKind.LAST_FOUR else ""
        return SafeText(part + self.label)

    @property
    def what(self) -> SafeText:
        """What it takes, to go on after "takes"."""
        if self.kind is FactKind.LAST_FOUR:
            return SafeText(f'the last 4 characters of "{self.label}"')
        return SafeText(f'"{self.label}" as you read it')


@dataclass(frozen=True, slots=True)
class Entries:
    """What the person typed; None for a step that is not taken."""

    fact: str | None = None
    match: str | None = None
    reason: str | None = None

    def of(self, step: Step) -> str | None:
        """Return what was typed for a step."""
        return {
            Step.MATCH: self.match,
            Step.PIN: None,
            Step.REASON: self.reason,
            Step.TYPE_BACK: self.fact,
        }[step]


NOTHING: Final = Entries()
