"""The answers to an approval.

Owns: the answers, the reasons for a denial, what can accompany one. Never: signatures.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple


class Answer(StrEnum):
    """A user's answer to an approval."""

    APPROVE = "approve"
    DENY = "deny"
    WITHDRAW = "withdraw"
    """Withdraws the user's own approval while others must still approve."""


class DenyCode(StrEnum):
    """The reason for a denial; the agent sees it."""

    NOT_NEEDED = "not_needed"
    WRONG_DETAILS = "wrong_details"
    TOO_BROAD = "too_broad"
    WAIT_UNTIL = "wait_until"
    ASK_OTHER = "ask_other"
    SUSPICIOUS = "suspicious"

    @property
    def label(self) -> str:
        """The label of the reason in the list."""
        return _ROWS[self].label

    @property
    def agent_may(self) -> str:
        """What the agent may do after a denial with this code."""
        return _ROWS[self].agent_may

    @property
    def takes(self) -> str | None:
        """The extra member that is allowed only with this code, or None."""
        return _ROWS[self].takes


@dataclass(frozen=True, slots=True)
class DenialExtras:
    """Optional additions to a denial and its note. The server checks them against the code."""

    retry_at: int | None = None
    """When the agent may ask again, in milliseconds; with WAIT_UNTIL."""
    ask: str | None = None
    """The name of the user whom the agent should ask instead; with ASK_OTHER."""
    private_note: str | None = None
    """A note for the audit log that no agent sees."""


NO_EXTRAS: Final = DenialExtras()

NOTE_LENGTH = 500
"""The longest note to an agent, in characters."""


class _Row(NamedTuple):
    label: str
    agent_may: str
    takes: str | None = None


_ROWS = {
    DenyCode.NOT_NEEDED: _Row("Not needed now", "may ask later"),
    DenyCode.WRONG_DETAILS: _Row("Wrong details", "fix and retry"),
    DenyCode.TOO_BROAD: _Row("Too broad", "ask for less"),
    DenyCode.WAIT_UNTIL: _Row("Wait until later", "may ask then", "retry_at"),
    DenyCode.ASK_OTHER: _Row("Ask someone else", "may ask them", "ask"),
    DenyCode.SUSPICIOUS: _Row("I don't recognize this", "must not ask again"),
}
