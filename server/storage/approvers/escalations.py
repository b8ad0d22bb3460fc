"""The escalation, extension and retry columns of approvals.

They are part of the approvals table, so that a new request needs no extra statement.
"""

from sqlalchemy import Connection, bindparam, literal_column, select, update

from server.storage.prepared import Prepared
from server.storage.tables import approvals as a
from server.storage.tables import approvers as p

_WAITS = a.c.state == literal_column("'pending'")
_IS_DUE = a.c.escalate_at <= bindparam("now")
_DUE = Prepared(
    select(a.c.id)
    .where(_WAITS, _IS_DUE, a.c.expires_at > bindparam("now"))
    .order_by(a.c.escalate_at)
    .limit(bindparam("limit"))
)
_STEP = (
    update(a)
    .where(a.c.id == bindparam("of"), _WAITS, _IS_DUE, a.c.escalated == bindparam("was"))
    .values(escalated=a.c.escalated + 1, escalate_at=bindparam("next"))
    .returning(a.c.id)
)
_EXTEND = (
    update(a)
    .where(
        a.c.id == bindparam("of"),
        _WAITS,
        a.c.expires_at == bindparam("was"),
        a.c.expires_at > bindparam("now"),
    )
    .values(
        expires_at=bindparam("until"),
        extensions=a.c.extensions + 1,
        escalated=0,
        escalate_at=bindparam("next"),
    )
    .returning(a.c.multi_approver)
)
_ASK_AGAIN = (
    update(a)
    .where(
        a.c.id == bindparam("of"),
        a.c.state == literal_column("'expired'"),
        a.c.retry_asked_at.is_(None),
    )
    .values(retry_asked_at=bindparam("now"))
    .returning(a.c.id)
)
_EXTEND_APPROVERS = (
    update(p)
    .where(p.c.approval_id == bindparam("of"), p.c.over_at.is_(None))
    .values(ends_at=bindparam("until"))
)


class Escalations:
    """Escalation steps of pending approvals, in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def due(self, now: int, limit: int) -> list[str]:
        """The approvals whose next step is due, most overdue first."""
        return [row[0] for row in _DUE.run(self._connection, {"now": now, "limit": limit})]

    def step(self, approval_id: str, was: int, next_at: int | None, now: int) -> bool:
        """Record the step after `was` steps; False if it was taken or is not pending."""
        values = {"of": approval_id, "was": was, "next": next_at, "now": now}
        return bool(self._connection.execute(_STEP, values).all())

    def extend(self, approval_id: str, *, was: int, until: int, escalate_at: int, now: int) -> bool:
        """Extend the expiry; False if the approval is not pending or its expiry is not `was`."""
        values = {"of": approval_id, "was": was, "until": until, "next": escalate_at, "now": now}
        extended = self._connection.execute(_EXTEND, values).all()
        if extended and extended[0].multi_approver:
            self._connection.execute(_EXTEND_APPROVERS, {"of": approval_id, "until": until})
        return bool(extended)

    def ask_again(self, approval_id: str, now: int) -> bool:
        """Record that its agent is asked to retry; False if it was or is not expired."""
        return bool(self._connection.execute(_ASK_AGAIN, {"of": approval_id, "now": now}).all())
