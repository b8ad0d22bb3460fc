"""Stored rule sets and action types."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time


@dataclass(frozen=True, slots=True)
class ActionRow:
    """A registered action type with the text of its file."""

    type: str
    document: str
    version: int
    created_at: int


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One version of the rule set."""

    version: int
    document: str
    agents: Mapping[str, str]
    """Agent names in the document → their client IDs when the document was set."""
    users: Mapping[str, str]
    hash: str
    """SHA-256 over the document and the resolved names, in hexadecimal."""
    set_by: str
    set_at: int


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours on certain days in a time zone. Hours past midnight belong to the day they start on."""

    begins: time
    ends: time
    """00:00 is the end of the day."""
    days: tuple[int, ...]
    """0 is Monday."""
    zone: str
