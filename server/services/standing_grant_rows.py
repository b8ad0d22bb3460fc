"""What the services need of the rows of standing grants. MUST is a promise of storage."""

from typing import Protocol

from server.services.standing_grant_records import GrantUse, StandingGrant


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
