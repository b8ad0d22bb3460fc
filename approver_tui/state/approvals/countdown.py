"""Warnings in the last minute and the last twenty seconds of a request.

Owns: the two moments and their words. Never: reading a clock; `now` is an argument. Times are
integers, milliseconds since the epoch.
"""

from collections.abc import Iterable
from enum import IntEnum

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.text import SafeText


class CountdownStage(IntEnum):
    """How soon the request expires, in seconds, the nearest first."""

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
    """Return the stage; None long before the end, and after it."""
    left = until - now
    return next((each for each in CountdownStage if 0 < left <= each * 1000), None)


def stage_reached(
    approvals: Iterable[Approval], before: int, now: int
) -> tuple[CountdownStage, tuple[Approval, ...]] | None:
    """Return the stage that was reached since `before`, and the requests; the nearest stage."""
    found = [
        (at, approval)
        for approval in approvals
        if approval.is_waiting(now)
        and (at := countdown_stage(approval.expires_at, now)) is not None
        and at is not countdown_stage(approval.expires_at, before)
    ]
    if not found:
        return None
    nearest = min(at for at, _approval in found)
    return nearest, tuple(approval for at, approval in found if at is nearest)
