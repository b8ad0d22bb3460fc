"""Standing grants and their uses."""

import json
from dataclasses import dataclass
from typing import Literal, TypeAlias

from server.protocol.policy.risks import Risk
from server.protocol.standing_grants import standing_grants
from server.protocol.standing_grants.standing_grants import Bounds, GrantUsage, Pattern, Sum

GrantState: TypeAlias = Literal["live", "full", "expired", "ended"]
"""The state of a grant: in force, used up, expired, or revoked."""

UseState: TypeAlias = Literal["reserved", "spent", "released"]


@dataclass(frozen=True, slots=True)
class StandingGrant:
    """A user's approval in advance of similar requests, for one agent at one resource."""

    id: str
    user_id: str
    agent_id: str
    resource: str
    scopes: tuple[str, ...]
    details: str
    """The example as JSON text: a list with one object of a registered type, or an empty list."""
    vary: str
    """The members of the example that may differ, as JSON text."""
    type: str | None
    version: int | None
    """The version of the action type when the grant was created; a new version ends the grant."""
    risk: Risk
    """The highest risk of a request that it covers."""
    ceremony: Literal["confirm", "pin"]
    """The ceremony that the user completed to create it; it satisfies no stronger one."""
    uses: int
    sum_minor: int | None
    sum_currency: str | None
    notify: bool
    used: int
    """The number of uses, including reserved ones."""
    spent_minor: int
    numbered: int
    """The number of the latest use; released uses keep their numbers."""
    approval_id: str
    """The approval that created it."""
    created_at: int
    expires_at: int
    ended_at: int | None = None
    ended_because: str | None = None

    @property
    def pattern(self) -> Pattern:
        """The pattern that a request must match."""
        vary = standing_grants.from_json(json.loads(self.vary))
        return Pattern(frozenset(self.scopes), tuple(json.loads(self.details)), vary)

    @property
    def bounds(self) -> Bounds:
        """The expiry, the maximum number of uses and the maximum total amount."""
        total = None
        if self.sum_minor is not None and self.sum_currency is not None:
            total = Sum(self.sum_minor, self.sum_currency)
        return Bounds(self.expires_at, self.uses, total)

    @property
    def usage(self) -> GrantUsage:
        """The number of uses and the amount so far."""
        return GrantUsage(self.used, self.spent_minor)

    def state(self, now: int) -> GrantState:
        """Return the state at this time."""
        if self.ended_at is not None:
            return "ended"
        if now >= self.expires_at:
            return "expired"
        return "full" if self._is_used_up else "live"

    @property
    def _is_used_up(self) -> bool:
        spent = self.sum_minor is not None and self.spent_minor >= self.sum_minor
        return self.used >= self.uses or spent


@dataclass(frozen=True, slots=True)
class GrantUse:
    """A use of a grant: the approval that it decided, and the amount."""

    grant_id: str
    number: int
    approval_id: str
    minor: int
    state: UseState
    at: int
