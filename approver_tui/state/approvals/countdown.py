"""Warnings in the last minute and the last twenty seconds of a request.

Owns: the two stages and their words. Never: reading a clock; `now` is an argument. Times are
integers, milliseconds since the epoch.
"""

from collections.abc import Iterable
from enum import IntEnum

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.text import SafeText


class CountdownStage(IntEnum):
    """The remaining seconds at which a stage begins, the shortest first."""

    LAST_SECONDS = 20
    LAST_MINUTE = 60

    @property
    def words(self) -> SafeText:
        """The words before the remaining time."""
        return SafeText("LAST 20 SECONDS" if self is CountdownStage.LAST_SECONDS else "LAST MINUTE")

    @property
    def verb(self) -> SafeText:
        """A shorter form that fits in a row."""
        return SafeText("ENDS" if self is CountdownStage.LAST_SECONDS else "ends")


def countdown_stage(until: int, now: int) -> CountdownStage | None:
    """Return the stage; None if more than a minute is left, or the request has expired."""
    remaining = until - now
    return next((stage for stage in CountdownStage if 0 < remaining <= stage * 1000), None)


def stage_reached(
    approvals: Iterable[Approval], before: int, now: int
) -> tuple[CountdownStage, tuple[Approval, ...]] | None:
    """Return the nearest stage reached since `before`, and the requests that reached it."""
    reached = [
        (stage, approval)
        for approval in approvals
        if approval.is_waiting(now)
        and (stage := countdown_stage(approval.expires_at, now)) is not None
        and stage is not countdown_stage(approval.expires_at, before)
    ]
    if not reached:
        return None
    nearest = min(stage for stage, _ in reached)
    return nearest, tuple(approval for stage, approval in reached if stage is nearest)
