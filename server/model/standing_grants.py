"""Standing grants and their uses, and what their rows promise."""

import json
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from server.protocol.policy.risks import Risk
from server.protocol.standing_grants import standing_grants
from server.protocol.standing_grants.standing_grants import Bounds, Pattern, Sum, Taken

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


class StandingGrantRows(Protocol):
    """Standing grants and their uses.

    `reserve` MUST be one conditional UPDATE that holds all bounds; None means that one would be
    passed. What is ended MUST stay ended.
    """

    def add(self, grant: StandingGrant) -> None: ...
    def get(self, grant_id: str) -> StandingGrant | None: ...
    def live(self, user_id: str, agent_id: str, resource: str, now: int) -> list[StandingGrant]:
        """Those in force, full ones too, oldest first."""

    def live_count(self, user_id: str, now: int) -> int:
        """How many of this person are in force."""

    def in_force(self, grant_id: str, now: int) -> bool:
        """Reports whether it is, and MUST keep it so until the unit of work is over."""

    def search(
        self,
        *,
        user_id: str | None,
        agent_ids: tuple[str, ...] | None,
        live_at: int | None,
        limit: int,
        before: tuple[int, str] | None = None,
    ) -> list[StandingGrant]:
        """The newest that match, behind a moment and an id; `live_at` leaves out what is over."""

    def uses_of(self, grant_id: str) -> list[GrantUse]:
        """The uses of one, in the order of their numbers."""

    def reserve(self, grant_id: str, approval_id: str, minor: int, now: int) -> GrantUse | None: ...
    def release(self, approval_id: str) -> GrantUse | None:
        """Give back the use that this approval reserved; None when it did not."""

    def spend(self, approval_id: str) -> GrantUse | None:
        """The use that this approval reserved came to something."""

    def end(self, grant_id: str, because: str, now: int) -> StandingGrant | None: ...
    def end_of_agent(self, agent_id: str, because: str, now: int) -> list[StandingGrant]: ...
    def end_of_user(self, user_id: str, because: str, now: int) -> list[StandingGrant]: ...
    def end_at(self, resource: str, because: str, now: int) -> list[StandingGrant]: ...
    def end_of_type(self, action_type: str, because: str, now: int) -> list[StandingGrant]: ...
    def end_between(
        self, user_id: str, agent_id: str, resource: str, because: str, now: int
    ) -> list[StandingGrant]: ...
