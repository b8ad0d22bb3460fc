"""The answers a person can give to an approval.

Owns: the two answers, the ceremonies, the reasons for a no. Never: signatures.
"""

from enum import StrEnum
from types import MappingProxyType


class Answer(StrEnum):
    """What a person can say to an approval."""

    APPROVE = "approve"
    DENY = "deny"


class Ceremony(StrEnum):
    """What giving an answer demanded of the person."""

    CONFIRM = "confirm"
    PIN = "pin"
    NONE = "none"


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


NOTE_LENGTH = 500
"""The longest note to an agent, in characters."""

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
