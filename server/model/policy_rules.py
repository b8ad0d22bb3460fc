"""One rule of policy as its document says it: when it applies, and what then follows.

Owns: the types. Never: reading (`documents.py`), answering (`builtin.py`).
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from server.model.policy import Hours
from server.protocol.approvals.ceremonies import CONFIRM, Ceremony
from server.protocol.approvals.unusual import Code
from server.protocol.policy.questions import Outcome, Way
from server.protocol.policy.risks import Risk

Party: TypeAlias = Literal["user", "owner"]
PARTIES: Final[tuple[Party, ...]] = ("user", "owner")
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
    unusual: tuple[Code, ...] = ()
    """It is unusual in one of these ways."""


@dataclass(frozen=True, slots=True)
class AskTerms:
    """What asking takes beside what the risk demands anyway."""

    risk: Risk | None = None
    ceremony: Ceremony = CONFIRM
    quorum: int | None = None
    who: tuple[str, ...] = ()
    """Users and groups whose yes counts."""
    exclude: tuple[Party, ...] = ()
    """Whose yes does not: the one it is for, the agent's owners."""
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One rule."""

    id: str
    because: str
    outcome: Outcome
    when: When
    ask: AskTerms

    @property
    def settles_critical(self) -> bool:
        """Reports whether it says how many people critical risk takes, and says that word."""
        said = Risk.CRITICAL in {self.when.at_least, self.ask.risk}
        return said and self.ask.quorum is not None


@dataclass(frozen=True, slots=True)
class Document:
    """A rule set as it was written."""

    text: str
    rules: tuple[PolicyRule, ...]

    @property
    def alone_at_critical(self) -> tuple[str, ...]:
        """The ids of rules by which one person's yes is enough at critical risk."""
        return tuple(one.id for one in self.rules if one.settles_critical and one.ask.quorum == 1)
