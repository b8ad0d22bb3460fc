"""Denials and other actions that can be undone for five seconds before they are sent.

Owns: when they are due. A decision is final once it is sent, so the delay comes before sending.
Never: sending.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from approver_tui.screens.panel import Deny
from approver_tui.screens.request_actions import QuickAction
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.text import SafeText, pluralize
from approver_tui.widgets.lines import fmt

UNDO_SECONDS = 5.0
"""How many seconds a denial waits before it is sent."""


@dataclass(frozen=True, slots=True)
class Denial:
    """A denial that has not been sent yet."""

    approval: Approval
    answer: Deny
    due: float
    """When it is sent, on the monotonic clock."""
    storage_problem: SafeText
    """Why it could not be saved on disk; empty if it was."""


def unsaved_warning(problems: Iterable[SafeText]) -> SafeText:
    """Return a warning with the number of storage problems; empty if there are none."""
    found = list(filter(None, problems))
    if not found:
        return SafeText("")
    denials = pluralize(len(found), "denial")
    return fmt("{} could not be saved and would be lost in a crash: {}", denials, found[-1])


def seconds_left(due: float, ticks: float) -> int:
    """Return the remaining time in seconds, rounded up."""
    return max(0, -int(-(due - ticks) // 1))


@dataclass(frozen=True, slots=True)
class PendingAction:
    """An action other than a denial that can be undone before it runs."""

    action: QuickAction
    due: float
    """When it runs, on the monotonic clock."""
