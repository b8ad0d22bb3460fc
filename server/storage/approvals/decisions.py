"""Signed answers to approval requests."""

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select, update

from server.model.approvals import Decision
from server.storage.approvals.tables import decisions
from server.storage.approvers.tables import approvers
from server.storage.prepared import DatabaseRows, Prepared, RecordTable

_BY_APPROVAL = Prepared(
    select(decisions)
    .where(decisions.c.approval_id == bindparam("approval"))
    .order_by(decisions.c.at, decisions.c.user_id)
)
_DECISIONS = RecordTable(Decision, decisions)


class Decisions(DatabaseRows):
    """Signed answers in the database."""

    def add(self, decision: Decision) -> None:
        """Store an answer; the table allows one per approval and user."""
        _DECISIONS.add(self._db, decision)

    def void(self, approval_id: str, now: int, user_ids: Sequence[str] | None = None) -> None:
        """Mark the current answers to this approval as void: those of these users, or all."""
        current = [decisions.c.approval_id == approval_id, decisions.c.voided_at.is_(None)]
        if user_ids is not None:
            current.append(decisions.c.user_id.in_(user_ids))
        self._change(update(decisions).where(*current).values(voided_at=now))

    def void_pending_of(self, user_id: str, now: int) -> list[str]:
        """Void the approvals that a user has given to other users' pending requests.

        Returns the request IDs, sorted.
        """
        pending = select(approvers.c.approval_id).where(
            approvers.c.user_id == user_id, approvers.c.over_at.is_(None)
        )
        void = update(decisions).where(
            decisions.c.approval_id.in_(pending),
            decisions.c.user_id == user_id,
            decisions.c.decision == "approve",
            decisions.c.voided_at.is_(None),
        )
        returned = void.values(voided_at=now).returning(decisions.c.approval_id)
        return sorted(self._column(returned))

    def delete(self, approval_id: str, user_id: str) -> None:
        """Delete a user's void or withdrawn answer; the audit log keeps it."""
        answer = decisions.c.approval_id == approval_id, decisions.c.user_id == user_id
        self._change(delete(decisions).where(*answer))

    def of_approval(self, approval_id: str) -> list[Decision]:
        """Return the answers to one approval, oldest first."""
        return self._many(_DECISIONS.read, _BY_APPROVAL, approval=approval_id)
