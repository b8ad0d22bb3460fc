"""The last minute of a request and its last twenty seconds: when a person is told of it.

Owns: the two moments, their words. Never: a clock; `now` is an argument. Times are integers,
milliseconds since the epoch.
"""

from collections.abc import Iterable
from enum import IntEnum

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.text import SafeText


class CountdownStage(IntEnum):
    """How near the end is; each is so many seconds, the nearest first."""

    LAST_SECONDS = 20
    LAST_MINUTE = 60

    @property
    def words(self) -> SafeText:
        """What stands before the time that is left."""
        return SafeText("LAST 20 SECONDS" if self is CountdownStage.LAST_SECONDS else "LAST MINUTE")

    @property
    def verb(self) -> SafeText:
        """The same in the room that a row has."""
        return SafeText("ENDS" if self is CountdownStage.LAST_SECONDS else "ends")


def countdown_stage(until: int, now: int) -> CountdownStage | None:
    """Return how near the end is; None while it is far, and once it is over."""
    left = until - now
    return next((each for each in CountdownStage if 0 < left <= each * 1000), None)


def stage_reached(
    approvals: Iterable[Approval], before: int, now: int
) -> tuple[CountdownStage, tuple[Approval, ...]] | None:
    """Return what came nearer to its end since `before`, and how near: the nearest of them."""
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
