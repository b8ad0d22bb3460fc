"""One call for everything that budgets held back from a person: later, and once an hour at most.

Owns: when it is told, and of what. Never: what is held back, or when the first one is due
(`attention.py`).
"""

from dataclasses import replace
from typing import Final

from server.model.approvals import Approval
from server.model.notifications import Hold
from server.model.store import Unit
from server.services.notifications import attention, notices
from server.services.server_policy import ServerPolicy

MOST: Final = 100
"""So many are counted; more need no number."""
_AGAIN_MS: Final = 10 * 60_000
_PER_HOUR: Final = 1


def tell(tx: Unit, owed: Hold, rules: ServerPolicy) -> bool:
    """Tell a person of all that still waits and may ring, the gravest named; reports whether.

    1. Something is there.  2. It is not for the quiet hours, muted or snoozed.  3. No digest was
    told within the hour; then this one comes later.
    """
    waiting = tx.approvals.waiting(owed.user_id, tx.now, MOST, None)
    held = [attention.held(tx, one, owed.user_id, rules) for one in waiting]
    told = [
        one
        for one, why in zip(waiting, held, strict=True)
        if why is None or why.why in attention.DIGESTED
    ]
    if not told:
        ends = [why.until for why in held if why is not None and why.why == "quiet_hours"]
        _later(tx, owed, min((end for end in ends if end is not None), default=None))
        return False
    if tx.notifications.spent(owed.user_id, "", "", "digest").hour >= _PER_HOUR:
        _later(tx, owed, tx.now + _AGAIN_MS)
        return False
    tx.notifications.add(owed.user_id, "", "", "digest")
    notices.digest(tx, owed.user_id, _gravest(told), len(told))
    return True


def _gravest(told: list[Approval]) -> Approval:
    return max(told, key=lambda one: (one.risk.rank, one.created_at))


def _later(tx: Unit, owed: Hold, until: int | None) -> None:
    if until is not None:
        tx.attention.hold(replace(owed, until=until))
