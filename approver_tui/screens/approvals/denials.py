"""Denials and other actions that can be undone for five seconds before they are sent.

Owns: which denials wait and when they are due. A decision is final once it is sent, so the delay
comes before sending. Never: sending.
"""

from dataclasses import dataclass

from approver_tui.screens.panel import Deny
from approver_tui.screens.request_actions import QuickAction
from approver_tui.state.approvals.approvals import Approval

UNDO_SECONDS = 5.0
"""How many seconds a denial waits before it is sent."""


@dataclass(frozen=True, slots=True)
class Denial:
    """A denial that the user gave and that was not sent yet."""

    approval: Approval
    answer: Deny
    due: float
    """When it is sent, on the monotonic clock."""


def seconds_left(due: float, ticks: float) -> int:
    """Return the remaining time in seconds, rounded up."""
    return max(0, -int(-(due - ticks) // 1))


@dataclass(frozen=True, slots=True)
class LaterAction:
    """An action other than a denial that can also be undone while it waits."""

    action: QuickAction
    due: float
    """When it happens, on the monotonic clock."""


@dataclass(frozen=True, slots=True)
class Denials:
    """All waiting denials, in the order they were given."""

    waiting: tuple[Denial, ...] = ()

    @property
    def latest(self) -> Denial | None:
        """The denial that Undo would cancel, if any."""
        return self.waiting[-1] if self.waiting else None

    def with_another(self, denial: Denial) -> "Denials":
        """Return a copy with `denial` added."""
        return Denials((*self.waiting, denial))

    def without(self, approval_id: str) -> "Denials":
        """Return a copy without the denial of that approval."""
        return Denials(
            tuple(denial for denial in self.waiting if denial.approval.id != approval_id)
        )

    def due(self, ticks: float) -> tuple[Denial, ...]:
        """Return the denials that are due."""
        return tuple(denial for denial in self.waiting if denial.due <= ticks)
