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


class Escalations(DatabaseRows):
    """Escalation steps of pending approvals, in the database."""

    def due(self, now: int, limit: int) -> list[str]:
        """Return the approvals whose next step is due, most overdue first."""
        return self._column(_DUE, now=now, limit=limit)

    def step(self, approval_id: str, expected: int, next_at: int | None, now: int) -> bool:
        """Advance to the next step if `expected` steps were recorded.

        Returns False if another process advanced it or the approval is not pending.
        """
        is_due = a.c.escalate_at <= now, a.c.escalated == expected
        step = update(a).where(a.c.id == approval_id, _IS_PENDING, *is_due)
        return self._change(step.values(escalated=expected + 1, escalate_at=next_at))

    def extend(
        self, approval_id: str, *, expected: int, until: int, escalate_at: int, now: int
    ) -> bool:
        """Extend the expiry; False if it differs from `expected` or the approval is not pending."""
        is_unchanged = a.c.expires_at == expected, a.c.expires_at > now
        extension = (
            update(a)
            .where(a.c.id == approval_id, _IS_PENDING, *is_unchanged)
            .values(expires_at=until, escalated=0, escalate_at=escalate_at)
            .values(extensions=a.c.extensions + 1)
        )
        extended = self._db.execute(extension.returning(a.c.multi_approver)).all()
        if extended and extended[0].multi_approver:
            is_open = p.c.approval_id == approval_id, p.c.over_at.is_(None)
            self._change(update(p).where(*is_open).values(ends_at=until))
        return bool(extended)

    def request_retry(self, approval_id: str, now: int) -> bool:
        """Ask the agent to retry; False if it was already asked or the request is not expired."""
        is_new = a.c.id == approval_id, a.c.state == "expired", a.c.retry_asked_at.is_(None)
        return self._change(update(a).where(*is_new).values(retry_asked_at=now))
