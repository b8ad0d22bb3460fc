"""When a person is notified: quiet hours, muted agents, and requests that are held.

Owns: the settings as they are shown. Never: whether something rings; the server says that.
Times are integers, milliseconds since the epoch.
"""

from dataclasses import dataclass

from approver_tui.state.text import SafeText


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours of some days in a time zone, as the wall clock there shows them."""

    days: tuple[SafeText, ...]
    begins: SafeText
    ends: SafeText
    zone: SafeText


@dataclass(frozen=True, slots=True)
class Mute:
    """An agent that notifies of nothing; `until` None means until it is unmuted."""

    agent_id: SafeText
    agent_name: SafeText
    since: int
    until: int | None


@dataclass(frozen=True, slots=True)
class HeldRequest:
    """A request that rings again at a moment."""

    approval: SafeText
    until: int
    why: SafeText


@dataclass(frozen=True, slots=True)
class NotificationPrefs:
    """All that a person has set."""

    quiet_hours: QuietHours | None
    quiet_until: int | None
    """The end of the quiet hours that go on now."""
    mutes: tuple[Mute, ...]
    holds: tuple[HeldRequest, ...]

    def hold_of(self, approval_id: str) -> HeldRequest | None:
        """Return until when a request does not ring, if it is held."""
        return next((each for each in self.holds if each.approval == approval_id), None)

    def is_snoozed(self, approval_id: str) -> bool:
        """Whether the person put a request off themselves."""
        hold = self.hold_of(approval_id)
        return hold is not None and hold.why == SNOOZED

    def mute_of(self, agent_id: str) -> Mute | None:
        """Return how an agent is muted, if it is."""
        return next((each for each in self.mutes if each.agent_id == agent_id), None)


SNOOZED = "snoozed"
"""Why a request is held that the person put off; the other reason is their quiet hours."""
ALL_RINGS = NotificationPrefs(quiet_hours=None, quiet_until=None, mutes=(), holds=())
"""Nothing is set."""
