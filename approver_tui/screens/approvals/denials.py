"""Denials and other actions that can be undone for five seconds before they are sent.

Owns: when they are due. A decision is final once it is sent, so the delay comes before sending.
Never: sending.
"""

from dataclasses import dataclass

from approver_tui.screens.panel import Deny
from approver_tui.screens.request_actions import QuickAction
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.text import SafeText

UNDO_SECONDS = 5.0
"""How many seconds a denial waits before it is sent."""


@dataclass(frozen=True, slots=True)
class Denial:
    """A denial that the user gave and that was not sent yet."""

    approval: Approval
    answer: Deny
    due: float
    """When it is sent, on the monotonic clock."""
    warning: SafeText
    """Why it could not be saved on disk, if it could not."""


def seconds_left(due: float, ticks: float) -> int:
    """Return the remaining time in seconds, rounded up."""
    return max(0, -int(-(due - ticks) // 1))


@dataclass(frozen=True, slots=True)
class LaterAction:
    """An action other than a denial that can also be undone while it waits."""

    action: QuickAction
    due: float
    """When it happens, on the monotonic clock."""
