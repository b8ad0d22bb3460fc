"""Denials that wait their five seconds, in which they can be taken back.

Owns: which wait and when they fall due. A decision is final once sent, so the time to think again
is spent here, before anything leaves. Never: sends.
"""

from dataclasses import dataclass

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.decision import NOTHING_MORE, DenialExtras, DenyCode

TIME_TO_THINK = 5.0
"""How many seconds a denial waits."""


@dataclass(frozen=True, slots=True)
class Denial:
    """A no that was given and not yet sent."""

    approval: Approval
    code: DenyCode
    note: str
    due: float
    """When it leaves, on the clock of delays."""
    aside: DenialExtras = NOTHING_MORE

    def seconds_left(self, ticks: float) -> int:
        """Return the whole seconds that are left, at least one while any time is left."""
        return max(0, -int(-(self.due - ticks) // 1))


@dataclass(frozen=True, slots=True)
class Denials:
    """All that wait, the latest last."""

    waiting: tuple[Denial, ...] = ()

    @property
    def latest(self) -> Denial | None:
        """The one that would be taken back."""
        return self.waiting[-1] if self.waiting else None

    def with_another(self, denial: Denial) -> "Denials":
        """Return the denials with one more."""
        return Denials((*self.waiting, denial))

    def without(self, approval_id: str) -> "Denials":
        """Return the denials without the one of that approval."""
        return Denials(tuple(one for one in self.waiting if one.approval.id != approval_id))

    def due(self, ticks: float) -> tuple[Denial, ...]:
        """Return those whose time is over."""
        return tuple(one for one in self.waiting if one.due <= ticks)
