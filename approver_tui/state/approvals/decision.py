"""The answers a person can give to an approval.

Owns: the two answers, the reasons for a no, what goes beside one. Never: signatures.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Answer(StrEnum):
    """What a person can say to an approval."""

    APPROVE = "approve"
    DENY = "deny"


class DenyCode(StrEnum):
    """Why a person says no; the agent is told."""

    NOT_NEEDED = "not_needed"
    WRONG_DETAILS = "wrong_details"
    TOO_BROAD = "too_broad"
    WAIT_UNTIL = "wait_until"
    ASK_OTHER = "ask_other"
    SUSPICIOUS = "suspicious"

    @property
    def label(self) -> str:
        """The words a person chooses by."""
        return _LABELS[self]

    @property
    def takes(self) -> str | None:
        """The member that may come with this code and with no other; None for none."""
        return _TAKES.get(self)


@dataclass(frozen=True, slots=True)
class DenialExtras:
    """What goes beside a no and its note. The server says which code lets it."""

    retry_at: int | None = None
    """From when on the agent may ask again, in milliseconds; with WAIT_UNTIL."""
    ask: str | None = None
    """Whom it may ask instead, as they are called; with ASK_OTHER."""
    private_note: str | None = None
    """A word for the record that no agent sees."""


NOTHING_MORE: Final = DenialExtras()

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
        DenyCode.SUSPICIOUS: "I do not recognise this",
    }
)
