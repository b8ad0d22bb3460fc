"""The answers to an approval.

Owns: the two answers, the reasons for a denial, what can accompany one. Never: signatures.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Answer(StrEnum):
    """A user's answer to an approval."""

    APPROVE = "approve"
    DENY = "deny"


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
        """The words that the user chooses."""
        return _LABELS[self]

    @property
    def takes(self) -> str | None:
        """The member that is allowed with this code only, or None."""
        return _TAKES.get(self)


@dataclass(frozen=True, slots=True)
class DenialExtras:
    """What can accompany a denial and its note. The server checks it against the code."""

    retry_at: int | None = None
    """When the agent may ask again, in milliseconds; with WAIT_UNTIL."""
    ask: str | None = None
    """The user name of who it should ask instead; with ASK_OTHER."""
    private_note: str | None = None
    """A note for the audit log that no agent sees."""


NO_EXTRAS: Final = DenialExtras()

NOTE_LENGTH = 500
"""The longest note to an agent, in characters."""

_TAKES = MappingProxyType({DenyCode.WAIT_UNTIL: "retry_at", DenyCode.ASK_OTHER: "ask"})

_LABELS = MappingProxyType(
    {
        DenyCode.NOT_NEEDED: "Not needed now",
        DenyCode.WRONG_DETAILS: "Wrong details",
        DenyCode.TOO_BROAD: "Too broad",
        DenyCode.WAIT_UNTIL: "Wait until later",
        DenyCode.ASK_OTHER: "Ask someone else",
        DenyCode.SUSPICIOUS: "I don't recognize this",
    }
)
