"""The answers to an approval.

Owns: the answers, the reasons for a denial, what can accompany one. Never: signatures.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Self, TypeAlias

from approver_tui.state.text import SafeText, TextLimit


class Answer(StrEnum):
    """A user's answer to an approval."""

    APPROVE = "approve"
    DENY = "deny"
    WITHDRAW = "withdraw"
    """Withdraws the user's own approval while others must still approve."""


class DenyCode(StrEnum):
    """The reason for a denial; the agent sees it."""

    label: str
    """The label of the reason in the list."""
    agent_may: str
    """What the agent may do after a denial with this code."""
    takes: str | None
    """The extra member that is allowed only with this code, or None."""

    def __new__(
        cls, code: str, label: str = "", agent_may: str = "", takes: str | None = None
    ) -> Self:
        """Create a code with its attributes. The type checker needs defaults for `DenyCode(x)`."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.label, member.agent_may, member.takes = label, agent_may, takes
        return member

    NOT_NEEDED = "not_needed", "Not needed now", "may ask later"
    WRONG_DETAILS = "wrong_details", "Wrong details", "fix and retry"
    TOO_BROAD = "too_broad", "Too broad", "ask for less"
    WAIT_UNTIL = "wait_until", "Wait until later", "may ask then", "retry_at"
    ASK_OTHER = "ask_other", "Ask someone else", "may ask them", "ask"
    SUSPICIOUS = "suspicious", "I don't recognize this", "must not ask again"


@dataclass(frozen=True, slots=True)
class DenialExtras:
    """Optional additions to a denial and its note. The server checks them against the code."""

    retry_at: int | None = None
    """When the agent may ask again, in milliseconds; with WAIT_UNTIL."""
    ask: str | None = None
    """The name of the user to ask instead; with ASK_OTHER."""
    private_note: str | None = None
    """A note for the audit log that no agent sees."""


NO_EXTRAS: Final = DenialExtras()

NOTE_LENGTH = 500
"""The maximum length of a note to an agent, in characters."""
Note: TypeAlias = Annotated[SafeText, TextLimit(NOTE_LENGTH, lines=40)]
