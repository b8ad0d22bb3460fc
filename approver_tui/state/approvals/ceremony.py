"""The steps that approving requires besides a confirmation, and the user's entries for them.

Owns: the steps, their spelling in signed texts, their names. Never: whether an entry is right; the
server compares it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self, TypeAlias

from approver_tui.state.text import SafeText


class Step(StrEnum):
    """One step besides confirming."""

    requirement: SafeText
    """The requirement, in words that follow "requires"."""

    def __new__(cls, step: str, requirement: str = "") -> Self:
        """Create a step with its requirement. The type checker needs a default for `Step(x)`."""
        member = str.__new__(cls, step)
        member._value_, member.requirement = step, SafeText(requirement)
        return member

    MATCH = "match", "the match number that the agent shows"
    PIN = "pin", "your PIN"
    REASON = "reason", "a reason (audit log only)"
    TYPE_BACK = "type_back", "a value typed back"


Ceremony: TypeAlias = frozenset[Step]

CONFIRM: Final[Ceremony] = frozenset()
NO_CEREMONY: Final = "none"
"""The ceremony of a denial, which has no steps."""

REASON_LENGTH: Final = 500
"""The maximum reason length, in characters."""

_CONFIRM = "confirm"


def ceremony_text(ceremony: Ceremony) -> str:
    """Return the spelling of these steps in signed texts."""
    return "+".join(sorted(ceremony)) or _CONFIRM


def read_ceremony(text: str) -> Ceremony:
    """Parse the spelling of steps. Raises ValueError for an unknown step."""
    if text == _CONFIRM:
        return CONFIRM
    steps = frozenset(map(Step, text.split("+")))
    if ceremony_text(steps) != text:
        raise ValueError("steps must be unique and in alphabetical order")
    return steps


class FactKind(StrEnum):
    """What must be typed: the last characters, or a value of this kind."""

    LAST_FOUR = "last_four"
    MONEY = "money"
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class TypeBack:
    """The fact to type back: its name and kind."""

    label: SafeText
    kind: FactKind

    @property
    def prompt(self) -> SafeText:
        """The label of the field."""
        part = "Last 4 characters of " if self.kind is FactKind.LAST_FOUR else ""
        return SafeText(part + self.label)

    @property
    def requirement(self) -> SafeText:
        """The requirement, in words that follow "requires"."""
        if self.kind is FactKind.LAST_FOUR:
            return SafeText(f'the last 4 characters of "{self.label}"')
        return SafeText(f'the value of "{self.label}"')


@dataclass(frozen=True, slots=True)
class Entries:
    """The user's entries; None for a step that is not required."""

    fact: str | None = None
    match: str | None = None
    reason: str | None = None

    def entry_for(self, step: Step) -> str | None:
        """Return what was typed for a step."""
        return {
            Step.MATCH: self.match,
            Step.PIN: None,
            Step.REASON: self.reason,
            Step.TYPE_BACK: self.fact,
        }[step]


NO_ENTRIES: Final = Entries()
