"""When a user is notified: quiet hours, muted agents and held requests.

Owns: the settings as they are shown. Never: whether something alerts; the server decides that.

Times are integers, milliseconds since the epoch.
"""

from dataclasses import dataclass

from approver_tui.state.text import SafeText

_DAYS_PER_WEEK = 7


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours on some weekdays in a time zone."""

    days: tuple[SafeText, ...]
    begins: SafeText
    ends: SafeText
    zone: SafeText

    @property
    def text(self) -> SafeText:
        """The quiet hours in one line."""
        days = "every day" if len(self.days) == _DAYS_PER_WEEK else ", ".join(self.days)
        length = " (24 hours)" if self.begins == self.ends else ""
        return SafeText(f"{self.begins} to {self.ends}{length} {self.zone}, {days}")


@dataclass(frozen=True, slots=True)
class Mute:
    """A muted agent; `until` None means until it is unmuted."""

    agent_id: SafeText
    agent_name: SafeText
    since: int
    until: int | None


@dataclass(frozen=True, slots=True)
class HeldRequest:
    """A request whose alert is held until a given time."""

    approval: SafeText
    until: int
    why: SafeText


@dataclass(frozen=True, slots=True)
class NotificationPrefs:
    """The notification settings of a user."""

    quiet_hours: QuietHours | None
    quiet_until: int | None
    """The end of the current quiet hours."""
    mutes: tuple[Mute, ...]
    holds: tuple[HeldRequest, ...]

    def hold_of(self, approval_id: str) -> HeldRequest | None:
        """Return the hold of a request, if any."""
        return next((hold for hold in self.holds if hold.approval == approval_id), None)

    def is_snoozed(self, approval_id: str) -> bool:
        """Whether the user snoozed a request."""
        hold = self.hold_of(approval_id)
        return hold is not None and hold.why == SNOOZED

    def mute_of(self, agent_id: str) -> Mute | None:
        """Return the mute of an agent, if any."""
        return next((mute for mute in self.mutes if mute.agent_id == agent_id), None)


SNOOZED = "snoozed"
"""The reason for a hold that the user set; the only other reason is quiet hours."""
DEFAULT_PREFS = NotificationPrefs(quiet_hours=None, quiet_until=None, mutes=(), holds=())
"""No settings: everything alerts."""
