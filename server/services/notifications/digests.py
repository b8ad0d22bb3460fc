"""Digests: one notification for all requests that rate limits held back, at most once an hour.

Owns: when a digest is sent, and which requests it counts. Never: what is held back, or when the
first digest is due (`attention.py`).
"""

from dataclasses import replace
from typing import Final

from server.model.approvals import Approval
from server.model.notifications import Hold
from server.model.store import Unit
from server.services.notifications import attention, notices
from server.services.server_policy import ServerPolicy

MAX_COUNTED: Final = 100
_RETRY_MS: Final = 10 * 60_000
_PER_HOUR: Final = 1


def send(tx: Unit, due: Hold, policy: ServerPolicy) -> bool:
    """Send this person a digest of the pending requests that may notify them.

    Returns whether it was sent, which requires: 1. There are such requests.  2. They are not muted,
    snoozed or in quiet hours.  3. No digest was sent within the hour; otherwise this one is sent
    later.
    """
    pending = tx.approvals.waiting(due.user_id, tx.now, MAX_COUNTED)
    reasons = [attention.hold_reason(tx, approval, due.user_id, policy) for approval in pending]
    included = [
        approval
        for approval, reason in zip(pending, reasons, strict=True)
        if reason is None or reason.why in attention.DIGEST_DELAYS_MS
    ]
    if not included:
        ends = [
            reason.until
            for reason in reasons
            if reason is not None and reason.why == "quiet_hours" and reason.until is not None
        ]
        if ends:
            _postpone(tx, due, min(ends))
        return False
    if tx.notifications.recent(due.user_id, "", "", "digest").hour >= _PER_HOUR:
        _postpone(tx, due, tx.now + _RETRY_MS)
        return False
    tx.notifications.add(due.user_id, "", "", "digest")
    notices.digest(tx, due.user_id, _highest_risk(included), len(included))
    return True


def _highest_risk(approvals: list[Approval]) -> Approval:
    return max(approvals, key=lambda approval: (approval.risk.rank, approval.created_at))


def _postpone(tx: Unit, due: Hold, until: int) -> None:
    tx.attention.hold(replace(due, until=until))
