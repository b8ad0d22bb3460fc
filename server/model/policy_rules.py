"""The rules of a policy document: their conditions and outcomes.

Owns: the types. Never: parsing (`documents.py`), evaluating (`builtin.py`).
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from server.model.policy import Hours
from server.protocol.approvals.ceremonies import CONFIRM, Ceremony
from server.protocol.approvals.unusual import Code
from server.protocol.policy.questions import Outcome, RequestFlow
from server.protocol.policy.risks import Risk

Party: TypeAlias = Literal["user", "owner"]
PARTIES: Final[tuple[Party, ...]] = ("user", "owner")
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ANY: Final = "*"
"""Matches any characters in the name of a resource, scope or type."""

ALLOWED: Final = Risk.MEDIUM
"""The highest risk that a rule allows if it does not set `at_most`."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A condition on the amount: more than this or at most this, in minor units of one currency."""

    currency: str
    over: int | None
    at_most: int | None


@dataclass(frozen=True, slots=True)
class Count:
    """A condition on the number of tokens in the last `within` milliseconds, including this one."""

    within: int
    over: int | None
    at_most: int | None


@dataclass(frozen=True, slots=True)
class When:
    """The conditions of a rule. All must match. In lists other than labels, one item is enough."""

    at: tuple[RequestFlow, ...] = ()
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
    """"resource", "scope" or JSON pointers into the details; at least one has a new value."""
    known: tuple[str, ...] = ()
    """Targets of the same form; all have values, and no value is new."""
    count: Count | None = None
    unusual: tuple[Code, ...] = ()
    """The request has at least one of these signals."""


@dataclass(frozen=True, slots=True)
class AskTerms:
    """The requirements that a rule adds to those of the risk."""

    risk: Risk | None = None
    ceremony: Ceremony = CONFIRM
    quorum: int | None = None
    who: tuple[str, ...] = ()
    """The eligible users and groups."""
    exclude: tuple[Party, ...] = ()
    """The excluded parties: the user the request is for, the agent's owners."""
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One policy rule."""

    id: str
    because: str
    outcome: Outcome
    when: When
    ask: AskTerms


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A parsed rule set with its text."""

    text: str
    rules: tuple[PolicyRule, ...]

    @property
    def single_approver_at_critical(self) -> tuple[str, ...]:
        """The IDs of rules that let one person approve at critical risk."""
        return tuple(
            rule.id
            for rule in self.rules
            if rule.ask.quorum == 1 and Risk.CRITICAL in {rule.when.at_least, rule.ask.risk}
        )
