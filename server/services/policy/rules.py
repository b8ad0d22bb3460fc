"""One rule of policy as its document says it: when it applies, and what then follows.

Owns: the types. Never: reading (`documents.py`), answering (`builtin.py`).
"""

from dataclasses import dataclass
from datetime import time
from typing import Final

from server.protocol.risks import Risk
from server.services.policy.questions import Ceremony, Outcome, Way

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ANY: Final = "*"
"""Stands for any run of characters in the name of a resource, scope or type."""

ALLOWED: Final = Risk.MEDIUM
"""The highest risk that a rule allows when it does not say another."""


@dataclass(frozen=True, slots=True)
class Amount:
    """More than this, or at most this, in minor units of one currency."""

    currency: str
    over: int | None
    at_most: int | None


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of some days in a zone; from after to means over midnight, counted by its first day."""

    begins: time
    ends: time
    """00:00 is the end of the day."""
    days: tuple[int, ...]
    """0 is Monday."""
    zone: str


@dataclass(frozen=True, slots=True)
class Count:
    """One more would be more than so many, or within so many, of the last `within` ms."""

    within: int
    over: int | None
    at_most: int | None


@dataclass(frozen=True, slots=True)
class When:
    """Every one of these that is set must hold; lists are alternatives, but for labels."""

    at: tuple[Way, ...] = ()
    agent: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    user: tuple[str, ...] = ()
    resource: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    at_least: Risk | None = None
    at_most: Risk | None = None
    amount: Amount | None = None
    during: Hours | None = None
    outside: Hours | None = None
    first_time: tuple[str, ...] = ()
    """"resource", "scope" or JSON pointers into the details; one of them is new."""
    known: tuple[str, ...] = ()
    """Likewise; all of them are there and none is new."""
    count: Count | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """What asking takes beside what the risk demands anyway."""

    risk: Risk | None = None
    ceremony: Ceremony | None = None
    quorum: int | None = None
    who: tuple[str, ...] = ()
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule."""

    id: str
    because: str
    outcome: Outcome
    when: When
    ask: Ask


@dataclass(frozen=True, slots=True)
class Document:
    """A rule set as it was written."""

    text: str
    rules: tuple[Rule, ...]
