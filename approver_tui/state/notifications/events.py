"""The events of the live feed.

Owns: the events and their names. Never: frames, sockets.
"""

from dataclasses import dataclass
from enum import StrEnum

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.devices.devices import Device
from approver_tui.state.text import SafeText


class EventName(StrEnum):
    """Every event that the feed can report."""

    REQUESTED = "approval.requested"
    VOTED = "approval.voted"
    VOTE_WITHDRAWN = "approval.vote_withdrawn"
    DECIDED = "approval.decided"
    EXPIRED = "approval.expired"
    CANCELLED = "approval.cancelled"
    REDEEMED = "approval.redeemed"
    EXTENDED = "approval.extended"
    RETRY_ASKED = "approval.retry_asked"
    EXECUTED = "approval.executed"
    REMINDER = "approval.reminder"
    DIGEST = "approval.digest"
    DEPUTY_NAMED = "deputy.named"
    DEPUTY_ENDED = "deputy.ended"
    ATTENTION = "attention.changed"
    DEVICE_ENROLLED = "device.enrolled"
    DEVICE_REVOKED = "device.revoked"
    DEVICE_LOCKED = "device.locked"
    DEVICE_UNLOCKED = "device.unlocked"
    DEVICE_VOUCHED = "device.vouched"
    DEVICE_UNREACHED = "device.unreached"
    GRANT_GIVEN = "standing_grant.given"
    GRANT_ENDED = "standing_grant.ended"
    CODE_REUSED = "alarm.code_reused"
    REFRESH_REUSED = "alarm.refresh_reused"
    PASSKEY_COUNTER = "alarm.passkey_counter"
    INCIDENT_OPENED = "alarm.incident_opened"
    AGENT_PAUSED = "alarm.agent_paused"
    AGENT_ORPHANED = "alarm.agent_orphaned"
    AGENT_QUARANTINED = "alarm.agent_quarantined"
    AGENT_ICON = "agent.icon_changed"
    AGENT_RENAMED = "agent.renamed"
    EXECUTION_DIFFERED = "alarm.execution_differed"


@dataclass(frozen=True, slots=True)
class AlarmSubject:
    """The agent in an alarm: its ID and registered name."""

    agent_id: SafeText
    agent: SafeText
    incident: SafeText | None = None
    """The ID of the incident, if someone reported the agent."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event, with its position in the feed."""

    seq: int
    name: EventName
    at: int
    approval: Approval | None = None
    device: Device | None = None
    held: str | None = None
    """Why it must not alert the user, according to the server; None if it may."""
    about: AlarmSubject | None = None

    @property
    def should_alert(self) -> bool:
        """Whether it should alert the user."""
        return self.name in _ALERTING and self.held is None


_ALERTING = frozenset({EventName.REQUESTED, EventName.REMINDER, EventName.DIGEST})
