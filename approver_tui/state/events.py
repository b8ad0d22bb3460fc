"""What the live feed tells.

Owns: the events and their names. Never: frames, sockets.
"""

from dataclasses import dataclass
from enum import StrEnum

from approver_tui.state.approvals import Approval
from approver_tui.state.devices import Device


class EventName(StrEnum):
    """Everything the feed can report."""

    REQUESTED = "approval.requested"
    DECIDED = "approval.decided"
    EXPIRED = "approval.expired"
    CANCELLED = "approval.cancelled"
    REDEEMED = "approval.redeemed"
    DEVICE_ENROLLED = "device.enrolled"
    DEVICE_REVOKED = "device.revoked"
    DEVICE_LOCKED = "device.locked"
    DEVICE_UNLOCKED = "device.unlocked"
    DEVICE_VOUCHED = "device.vouched"
    CODE_REUSED = "alarm.code_reused"
    REFRESH_REUSED = "alarm.refresh_reused"
    INCIDENT_OPENED = "alarm.incident_opened"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, with its place in the feed."""

    seq: int
    name: EventName
    at: int
    approval: Approval | None = None
    device: Device | None = None
