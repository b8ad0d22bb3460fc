"""Approvals for statistics: a few columns of the newest rows, read through an index on time."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, false, func, literal_column, select, true

from server.model.operations import ENDS_WITHIN_MS, ApprovalSummary, PendingRange
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.storage.approvals.tables import approvals as a
from server.storage.approvals.tables import decisions as d
from server.storage.prepared import DatabaseRows, Prepared


def _is(*states: str) -> ColumnElement[bool]:
    return a.c.state.in_([literal_column(f"'{state}'") for state in states])


_APPROVED_BY_PERSON = (
    select(literal_column("1"))
    .select_from(d)
    .where(d.c.approval_id == a.c.id, d.c.decision == "approve", d.c.voided_at.is_(None))
    .where((a.c.quorum == 1) | (d.c.at == a.c.decided_at))  # the vote that met the quorum
    .exists()
)
_SUMMARIES = (
    select(
        a.c.agent_id,
        a.c.user_id,
        a.c.state,
        a.c.created_at,
        a.c.seen_at,
        a.c.decided_at,
        case(
            (_is("approved", "redeemed"), true()),
            (_is("pending", "denied"), false()),
            (a.c.decided_by.is_not(None), true()),
            else_=_APPROVED_BY_PERSON,
        ),
        a.c.decided_by.is_not(None),
    )
    .where(a.c.created_at >= bindparam("moment"))
    .order_by(a.c.created_at.desc())
    .limit(bindparam("limit"))
)
_SINCE = Prepared(_SUMMARIES.where(a.c.user_id.is_not(None)))
_BETWEEN = Prepared(
    _SUMMARIES.where(a.c.agent_id == bindparam("agent"), a.c.user_id == bindparam("user"))
)
_BY_AGENT = Prepared(_SUMMARIES.where(a.c.agent_id == bindparam("agent"), a.c.user_id.is_not(None)))
_TIME_LEFT = a.c.expires_at - bindparam("now")
_WAITING = (
    select(
        case(
            *(
                (literal_column(str(within)) >= _TIME_LEFT, literal_column(str(number)))
                for number, within in enumerate(ENDS_WITHIN_MS)
                if within is not None
            ),
            else_=literal_column(str(len(ENDS_WITHIN_MS) - 1)),
        ).label("range"),
        a.c.risk,
    )
    .where(
        _is("pending", "approved"),  # must be the same text as in the partial index
        a.c.state == literal_column("'pending'"),
        a.c.expires_at > bindparam("now"),
        a.c.user_id.is_not(None),
    )
    .order_by(a.c.expires_at)
    .limit(bindparam("limit"))
    .subquery()
)
_ENDING = Prepared(
    select(_WAITING.c.range, _WAITING.c.risk, func.count()).group_by(
        _WAITING.c.range, _WAITING.c.risk
    )
)


class ApprovalStatistics(DatabaseRows):
    """Approvals in the database, for statistics."""

    def since(self, moment: int, limit: int) -> list[ApprovalSummary]:
        """Return the newest requests since this time."""
        return self._many(_summary, _SINCE, moment=moment, limit=limit)

    def recent_requests(
        self, agent_id: str, user_id: str, since: int, limit: int
    ) -> list[ApprovalSummary]:
        """Return the newest requests since this time from this agent to this user."""
        return self._many(
            _summary, _BETWEEN, agent=agent_id, user=user_id, moment=since, limit=limit
        )

    def of_agent(self, agent_id: str, since: int, limit: int) -> list[ApprovalSummary]:
        """Return the newest requests since this time from this agent."""
        return self._many(_summary, _BY_AGENT, agent=agent_id, moment=since, limit=limit)

    def ending(self, now: int, limit: int) -> list[PendingRange]:
        """Count the pending requests that expire first, by range of time left."""
        by_range: list[dict[Risk, int]] = [{} for _ in ENDS_WITHIN_MS]
        for number, risk, count in _ENDING.run(self._db, {"now": now, "limit": limit}):
            by_range[number][Risk(risk)] = count
        return list(map(PendingRange, ENDS_WITHIN_MS, by_range))


def _summary(row: Sequence[Any]) -> ApprovalSummary:
    agent, user, state, created, seen, decided, approved, by_rule = row
    flags = bool(approved), bool(by_rule)
    return ApprovalSummary(agent, user, State(state), created, seen, decided, *flags)
