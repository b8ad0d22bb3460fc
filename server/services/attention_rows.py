"""What the services need of the rows of people's wishes to be left alone."""

from typing import Protocol

from server.services.attention_records import Hold, Mute, Wishes
from server.services.policy.rules import Hours


class AttentionRows(Protocol):
    """Quiet hours, mutes and holds."""

    def wishes(self, user_id: str, agent_id: str, approval_id: str, now: int) -> Wishes:
        """What this person wants about this request; MUST be one statement."""

    def quiet_hours(self, user_id: str) -> Hours | None: ...
    def set_quiet_hours(self, user_id: str, hours: Hours, now: int) -> None:
        """In the place of those before."""

    def clear_quiet_hours(self, user_id: str) -> bool:
        """Reports whether there were any."""

    def mute(self, mute: Mute) -> None:
        """In the place of the one before."""

    def unmute(self, user_id: str, agent_id: str) -> bool:
        """Reports whether the agent was muted."""

    def mutes(self, user_id: str, now: int) -> list[Mute]:
        """Those that are not over, by agent."""

    def hold(self, hold: Hold) -> None:
        """In the place of the one before."""

    def unhold(self, user_id: str, approval_id: str) -> bool:
        """Reports whether there was one."""

    def holds(self, user_id: str, now: int) -> list[Hold]:
        """Those that are not over, the first to end first."""

    def end_quiet(self, user_id: str, now: int) -> None:
        """What was held because of quiet hours ends now."""

    def due(self, now: int) -> bool:
        """Reports whether a hold is over."""

    def release(self, now: int, limit: int) -> list[Hold]:
        """Take away holds that are over; each is ever returned by one call only."""
