"""The escalation, extension and retry columns of approvals.

They are part of the approvals table, so that a new request does not need an extra statement.
"""

from sqlalchemy import bindparam, literal_column, select, update

from server.storage.approvals.tables import approvals as a
from server.storage.approvers.tables import approvers as p
from server.storage.prepared import DatabaseRows, Prepared

_IS_PENDING = a.c.state == literal_column("'pending'")
_IS_DUE = a.c.escalate_at <= bindparam("now")
_DUE = Prepared(
    select(a.c.id)
    .where(_IS_PENDING, _IS_DUE, a.c.expires_at > bindparam("now"))
    .order_by(a.c.escalate_at)
    .limit(bindparam("limit"))
)
_STEP = (
    update(a)
    .where(
        a.c.id == bindparam("approval"),
        _IS_PENDING,
        _IS_DUE,
        a.c.escalated == bindparam("expected_steps"),
    )
    .values(escalated=a.c.escalated + 1, escalate_at=bindparam("escalate_at"))
    .returning(a.c.id)
)
_EXTEND = (
    update(a)
    .where(
        a.c.id == bindparam("approval"),
        _IS_PENDING,
        a.c.expires_at == bindparam("expected_expiry"),
        a.c.expires_at > bindparam("now"),
    )
    .values(
        expires_at=bindparam("expires_at"),
        extensions=a.c.extensions + 1,
        escalated=0,
        escalate_at=bindparam("escalate_at"),
    )
    .returning(a.c.multi_approver)
)
_REQUEST_RETRY = (
    update(a)
    .where(
        a.c.id == bindparam("approval"),
        a.c.state == literal_column("'expired'"),
        a.c.retry_asked_at.is_(None),
    )
    .values(retry_asked_at=bindparam("now"))
)
_EXTEND_APPROVERS = (
    update(p)
    .where(p.c.approval_id == bindparam("approval"), p.c.over_at.is_(None))
    .values(ends_at=bindparam("ends_at"))
)


class Escalations(DatabaseRows):
    """Escalation steps of pending approvals, in the database."""

    def due(self, now: int, limit: int) -> list[str]:
        """Return the approvals whose next step is due, most overdue first."""
        return [row[0] for row in _DUE.run(self._db, {"now": now, "limit": limit})]

    def step(self, approval_id: str, expected: int, next_at: int | None, now: int) -> bool:
        """Advance to the next step if `expected` steps were recorded.

        Returns False if another process advanced it or the approval is not pending.
        """
        step = {"approval": approval_id, "expected_steps": expected, "escalate_at": next_at}
        return bool(self._db.execute(_STEP, {**step, "now": now}).all())

    def extend(
        self, approval_id: str, *, expected: int, until: int, escalate_at: int, now: int
    ) -> bool:
        """Extend the expiry; False if it differs from `expected` or the approval is not pending."""
        expiry = {"expected_expiry": expected, "expires_at": until, "escalate_at": escalate_at}
        values = {"approval": approval_id, **expiry, "now": now}
        extended = self._db.execute(_EXTEND, values).all()
        if extended and extended[0].multi_approver:
            self._db.execute(_EXTEND_APPROVERS, {"approval": approval_id, "ends_at": until})
        return bool(extended)

    def request_retry(self, approval_id: str, now: int) -> bool:
        """Ask the agent to retry; False if it was already asked or the request is not expired."""
        return self._change(_REQUEST_RETRY, approval=approval_id, now=now)
