"""Standing grants and proposals for new ones.

Owns: one grant as displayed; whether a text to sign matches the proposal. Never: signing. Times
are integers, milliseconds since the epoch.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from approver_tui.state.approvals.narrowing import pointer_steps
from approver_tui.state.currencies import amounts, typed_amount
from approver_tui.state.text import SafeText, TextLimit

_DETAILS = "authorization_details"
_TOLERANCE = 300_000
"""The allowed difference between this machine's clock and the server's, in milliseconds."""
_SECONDS = {"m": 60, "h": 3_600, "d": 86_400}
_DURATION = re.compile(r"([1-9][0-9]{0,5})([mhd])")

_LongLine: TypeAlias = Annotated[SafeText, TextLimit(2_000)]


class GrantState(StrEnum):
    """The state of a grant."""

    LIVE = "live"
    FULL = "full"
    EXPIRED = "expired"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units."""

    minor: int
    currency: SafeText
    words: SafeText
    """The amount as the server writes it."""


@dataclass(frozen=True, slots=True)
class GrantFact:
    """A member of the details, with its required value or the extent to which it may vary."""

    label: SafeText
    value: _LongLine


@dataclass(frozen=True, slots=True)
class GrantUse:
    """One use, and the approval that it decided."""

    number: int
    approval: SafeText
    minor: int
    state: SafeText
    at: int


@dataclass(frozen=True, slots=True)
class StandingGrant:
    """A standing grant, its limits, and what remains of them."""

    id: SafeText
    state: GrantState
    agent_id: SafeText
    agent_name: SafeText
    resource: _LongLine
    scopes: tuple[SafeText, ...]
    type: SafeText | None
    pattern: tuple[GrantFact, ...]
    risk: SafeText
    uses: int
    used: int
    sum: Money | None
    spent: Money | None
    notify: bool
    approval: SafeText
    created_at: int
    expires_at: int
    ended_at: int | None
    ended_because: SafeText | None
    taken: tuple[GrantUse, ...] = ()
    """Past uses; present only when a single grant is shown."""


@dataclass(frozen=True, slots=True)
class PastRequest:
    """An earlier request and, if a grant would not have covered it, the reason."""

    id: SafeText
    fingerprint: SafeText
    state: SafeText
    created_at: int
    mismatch: SafeText | None


@dataclass(frozen=True, slots=True)
class GrantPreview:
    """The preview of a grant."""

    agent_name: SafeText
    resource: _LongLine
    scopes: tuple[SafeText, ...]
    pattern: tuple[GrantFact, ...]
    risk: SafeText
    given_at: SafeText
    """The risk level of approving the grant."""
    uses: int
    sum: Money | None
    expires_at: int
    requests: tuple[PastRequest, ...]


@dataclass(frozen=True, slots=True)
class VaryingFact:
    """A member that may differ from the example; a number or amount with its limit."""

    pointer: str
    up_to: str | None

    @property
    def path(self) -> tuple[str, ...]:
        """The steps of the pointer."""
        return pointer_steps(self.pointer)


@dataclass(frozen=True, slots=True)
class StandingGrantProposal:
    """The proposal of a standing grant: requests like an example, with limits."""

    approval: str
    seconds: int
    uses: int
    sum: str | None
    vary: tuple[VaryingFact, ...]
    notify: bool


def read_duration(text: str) -> int:
    """Parse `15m`, `8h` or `30d` to seconds. Raises ValueError."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("use a number and m, h or d, such as 15m, 8h or 30d")
    return int(match[1]) * _SECONDS[match[2]]


def read_varying(text: str) -> VaryingFact:
    """Parse `amount=20`, `/lines/0/price=5` or `reference`. Raises ValueError."""
    fact, equals, up_to = text.partition("=")
    if not fact or (equals and not up_to):
        raise ValueError("use FACT=LIMIT for a number, such as amount=20, or FACT for a text")
    pointer = fact if fact.startswith("/") else "/" + fact.replace(".", "/")
    return VaryingFact(pointer, up_to if equals else None)


def matches_proposal(proposal: StandingGrantProposal, example: str, offered: str, now: int) -> bool:
    """Whether an action text grants exactly the proposal, for requests like the example.

    The device checks the text that the server offers for signing before it opens any key.
    """
    try:
        requested, granted = json.loads(example), json.loads(offered)
        terms, *examples = granted[_DETAILS]
        is_same_request = all(
            requested[name] == granted[name] for name in ("agent", "resource", "scope", "user")
        )
        ends_at = datetime.fromisoformat(terms["until"]).timestamp() * 1000
        is_same_time = abs(ends_at - now - proposal.seconds * 1000) <= _TOLERANCE
        is_same_use = (terms["uses"], terms["notify"]) == (proposal.uses, proposal.notify)
        are_same_limits = _sum_matches(
            terms["sum"], proposal.sum, requested[_DETAILS]
        ) and _limits_match(terms["vary"], proposal.vary, requested[_DETAILS])
        return (
            is_same_request
            and examples == requested[_DETAILS]
            and is_same_time
            and is_same_use
            and are_same_limits
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _sum_matches(total: object, proposed: str | None, details: object) -> bool:
    """Whether a total is the typed amount in the only currency of the details."""
    if proposed is None:
        return total is None
    (currency,) = {currency for currency, _ in amounts(details)}
    return total == typed_amount(proposed, currency)


def _limits_match(
    granted: Sequence[Mapping[str, object]], proposed: Sequence[VaryingFact], details: list[object]
) -> bool:
    limits = {fact["path"]: fact["up_to"] for fact in granted}
    expected = {fact.pointer: _typed_limit(fact, details[0]) for fact in proposed}
    return len(granted) == len(proposed) and limits == expected


def _typed_limit(fact: VaryingFact, value: Any) -> object:  # noqa: ANN401  # parsed JSON
    """Return the typed limit in the form of the example's value; None if there is none."""
    if fact.up_to is None:
        return None
    for step in fact.path:
        value = value[step]
    is_money = isinstance(value, Mapping)
    return typed_amount(fact.up_to, value["currency"]) if is_money else int(fact.up_to)
