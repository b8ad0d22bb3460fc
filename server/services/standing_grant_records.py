"""What we remember of standing grants and of each use, as frozen records.

Times are milliseconds since the epoch (`*_at`).
"""

import json
from dataclasses import dataclass
from typing import Literal, TypeAlias

from server.protocol import standing_grants
from server.protocol.risks import Risk
from server.protocol.standing_grants import Bounds, Pattern, Sum, Taken

Standing: TypeAlias = Literal["live", "full", "expired", "ended"]
"""How a grant stands: in force, in force and used up, over by the clock, ended by somebody."""
UseState: TypeAlias = Literal["reserved", "spent", "released"]


@dataclass(frozen=True, slots=True)
class StandingGrant:
    """An approval that one person gave ahead for one agent at one resource."""

    id: str
    user_id: str
    agent_id: str
    resource: str
    scopes: tuple[str, ...]
    details: str
    """The example as JSON text: a list of one object of a registered type, or of none."""
    vary: str
    """Which members of it may differ, as JSON text."""
    type: str | None
    version: int | None
    """Of the action type when it was given; with another one it has ended."""
    risk: Risk
    """The highest risk of a request that it covers."""
    ceremony: Literal["confirm", "pin"]
    """What the person did to give it; it stands for no more than that."""
    uses: int
    sum_minor: int | None
    sum_currency: str | None
    tell: bool
    used: int
    """Uses that count, reserved ones among them."""
    spent_minor: int
    numbered: int
    """How many numbers were given to uses; released ones keep theirs."""
    approval_id: str
    """What the person signed."""
    created_at: int
    expires_at: int
    ended_at: int | None = None
    ended_because: str | None = None

    @property
    def pattern(self) -> Pattern:
        """What a request must be like."""
        vary = standing_grants.from_json(json.loads(self.vary))
        return Pattern(frozenset(self.scopes), tuple(json.loads(self.details)), vary)

    @property
    def bounds(self) -> Bounds:
        """Until when, how often, how much."""
        total = None
        if self.sum_minor is not None and self.sum_currency is not None:
            total = Sum(self.sum_minor, self.sum_currency)
        return Bounds(self.expires_at, self.uses, total)

    @property
    def taken(self) -> Taken:
        """What was used of it."""
        return Taken(self.used, self.spent_minor)

    def standing(self, now: int) -> Standing:
        """How it stands at this moment."""
        if self.ended_at is not None:
            return "ended"
        if now >= self.expires_at:
            return "expired"
        return "full" if self._full else "live"

    @property
    def _full(self) -> bool:
        spent = self.sum_minor is not None and self.spent_minor >= self.sum_minor
        return self.used >= self.uses or spent


@dataclass(frozen=True, slots=True)
class GrantUse:
    """One use of a grant: the approval that it decided, and what that cost."""

    grant_id: str
    number: int
    approval_id: str
    minor: int
    state: UseState
    at: int
