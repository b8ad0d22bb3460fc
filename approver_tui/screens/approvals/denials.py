"""Denials and other actions that wait five seconds, in which they can be undone.

Owns: which denials wait, and when they are due. A decision is final once sent, so the delay comes
before sending. Never: sending.
"""

from dataclasses import dataclass

from approver_tui.screens.panel import Deny
from approver_tui.screens.request_actions import QuickAction
from approver_tui.state.approvals.approvals import Approval

UNDO_SECONDS = 5.0
"""How many seconds a denial waits."""


@dataclass(frozen=True, slots=True)
class Denial:
    """A denial that was given and not yet sent."""

    approval: Approval
    answer: Deny
    due: float
    """When it is sent, on the monotonic clock."""


def seconds_left(due: float, ticks: float) -> int:
    """Return the remaining whole seconds, at least one while any time is left."""
    return max(0, -int(-(due - ticks) // 1))


@dataclass(frozen=True, slots=True)
class LaterAction:
    """Another action that waits as long, and can be undone as well."""

    action: QuickAction
    due: float
    """When it happens, on the monotonic clock."""


@dataclass(frozen=True, slots=True)
class Denials:
    """All waiting denials, the latest last."""

    waiting: tuple[Denial, ...] = ()

    @property
    def latest(self) -> Denial | None:
        """The denial that would be undone."""
        return self.waiting[-1] if self.waiting else None

    def with_another(self, denial: Denial) -> "Denials":
        """Return the denials with one added."""
        return Denials((*self.waiting, denial))

    def without(self, approval_id: str) -> "Denials":
        """Return the denials without that approval."""
        return Denials(
            tuple(denial for denial in self.waiting if denial.approval.id != approval_id)
        )

    def due(self, ticks: float) -> tuple[Denial, ...]:
        """Return the denials that are due."""
        return tuple(denial for denial in self.waiting if denial.due <= ticks)
