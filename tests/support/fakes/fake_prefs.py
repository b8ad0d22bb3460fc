"""Notification preferences, for tests and pictures."""

from dataclasses import dataclass, replace
from typing import Any

from approver_tui.client import errors
from approver_tui.state.notifications.preferences import (
    DEFAULT_PREFS,
    SNOOZED,
    HeldRequest,
    Mute,
    NotificationPrefs,
    QuietHours,
)
from approver_tui.state.text import SafeText
from tests.support.fakes.fake_client import FakeServer
from tests.support.fakes.fake_clock import FakeClock
from tests.support.fakes.fake_requests import MINUTE


@dataclass
class FakePrefsClient:
    """Snoozed requests, muted agents and quiet hours, as the server would return them."""

    clock: FakeClock
    server: FakeServer
    attention: NotificationPrefs = DEFAULT_PREFS
    failure: errors.ClientError | None = None
    """The error that every change raises, if any."""

    def settings(self) -> NotificationPrefs:
        """Return the current preferences."""
        return self.attention

    def snooze(self, approval_id: str) -> NotificationPrefs:
        """Snooze for a quarter of an hour."""
        until = self.clock.now() + 15 * MINUTE
        hold = HeldRequest(SafeText(approval_id), until, SafeText(SNOOZED))
        return self._set(holds=(*self.attention.holds, hold))

    def unsnooze(self, approval_id: str) -> NotificationPrefs:
        """Let the request notify again."""
        rest = [hold for hold in self.attention.holds if hold.approval != approval_id]
        return self._set(holds=tuple(rest))

    def mute(self, agent_id: str) -> NotificationPrefs:
        """Mute the agent with no end date."""
        agents = [approval.agent for approval in self.server.approvals.values()]
        name = next((agent.name for agent in agents if agent.id == agent_id), agent_id)
        mute = Mute(SafeText(agent_id), SafeText(name), self.clock.now(), None)
        return self._set(mutes=(*self.attention.mutes, mute))

    def unmute(self, agent_id: str) -> NotificationPrefs:
        """Let the agent's requests notify again."""
        rest = [mute for mute in self.attention.mutes if mute.agent_id != agent_id]
        return self._set(mutes=tuple(rest))

    def set_quiet_hours(
        self, begins: str, ends: str, zone: str, days: tuple[str, ...]
    ) -> NotificationPrefs:
        """Set quiet hours; no days means every day."""
        named = tuple(map(SafeText, days or ("mon", "tue", "wed", "thu", "fri", "sat", "sun")))
        hours = QuietHours(named, SafeText(begins), SafeText(ends), SafeText(zone))
        return self._set(quiet_hours=hours)

    def clear_quiet_hours(self) -> NotificationPrefs:
        """Remove the quiet hours."""
        return self._set(quiet_hours=None)

    def _set(self, **changes: Any) -> NotificationPrefs:
        if self.failure is not None:
            raise self.failure
        self.attention = replace(self.attention, **changes)
        return self.attention
