"""Approval rows. Each state transition is one UPDATE, generated from the state table.

States are literals in the statements, not bound values: only then do both databases use the
partial indexes of open approvals.
"""

from dataclasses import replace

from sqlalchemy import (
    ColumnElement,
    Update,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)

from server.model.approvals import Approval, ApprovalKind, ListCursor
from server.protocol.approvals.states import REDEMPTION_GRACE_MS, State, origins
from server.protocol.policy.risks import Risk
from server.storage.approvals import waiting
from server.storage.approvals.tables import approvals as a
from server.storage.approvals.tables import decisions as d
from server.storage.approvers.tables import approvers as p
from server.storage.prepared import Prepared, RecordRows, RecordTable, matches

_GRACE = {State.PENDING: 0, State.APPROVED: REDEMPTION_GRACE_MS}


def _is(state: State) -> ColumnElement[bool]:
    return a.c.state == literal_column(f"'{state}'")


def _in_time(state: State) -> ColumnElement[bool]:
    return and_(_is(state), a.c.expires_at + _GRACE[state] > bindparam("now"))


def _overdue(state: State) -> ColumnElement[bool]:
    return and_(_is(state), a.c.expires_at <= bindparam("now") - _GRACE[state])


_QUORUM_REACHED = or_(
    a.c.quorum == 1,
    select(func.count(func.coalesce(d.c.stands_for, d.c.user_id).distinct()))
    .where(d.c.approval_id == a.c.id, d.c.decision == "approve", d.c.voided_at.is_(None))
    .scalar_subquery()
    >= a.c.quorum,
)
"""Enough people have approved, themselves or through a backup or deputy."""


def _transition(target: State) -> Update:
    """Return the UPDATE that enters `target` from one of its origin states, in time or overdue.

    It never enters `approved` with fewer approvers than the quorum.
    """
    check = _overdue if target is State.EXPIRED else _in_time
    extra = [_QUORUM_REACHED] if target is State.APPROVED else []
    return (
        update(a)
        .where(a.c.id == bindparam("approval"), or_(*map(check, sorted(origins(target)))), *extra)
        .values(
            state=str(target),
            reason=bindparam("reason"),
            decided_at=func.coalesce(a.c.decided_at, bindparam("now")),
        )
        .returning(a.c.decided_at, a.c.multi_approver)
    )


_LOCK = Prepared(select(a).where(a.c.id == bindparam("approval")).with_for_update(key_share=True))
_TRANSITIONS = {target: Prepared(_transition(target)) for target in State if origins(target)}
_BY_HANDLE = Prepared(select(a).where(a.c.auth_req_hash == bindparam("hash")))
_BY_IDEMPOTENCY = Prepared(
    select(a).where(a.c.agent_id == bindparam("agent"), a.c.idempotency_hash == bindparam("hash"))
)
_OPEN_STATES = a.c.state.in_([literal_column("'pending'"), literal_column("'approved'")])
"""Exactly the condition of the partial indexes of open approvals."""
_COUNT = select(func.count()).where(_in_time(State.PENDING), a.c.kind == bindparam("kind"))
_FOR_USER = a.c.user_id == bindparam("user")
_BY_AGENT = a.c.agent_id == bindparam("agent")
_URGENT = a.c.risk.in_([literal_column("'high'"), literal_column("'critical'")])
_BY_AGENT_AND_USER = {
    (False, True): (_FOR_USER,),
    (True, False): (_OPEN_STATES, _BY_AGENT),
    (True, True): (_OPEN_STATES, _BY_AGENT, _FOR_USER),
}
"""(Whether an agent is given, whether a user is given) → the conditions."""


def _counts(*conditions: ColumnElement[bool]) -> dict[bool, Prepared]:
    """Return the counts of pending requests: all, or only urgent ones (True)."""
    count = _COUNT.where(*conditions)
    return {False: Prepared(count), True: Prepared(count.where(_URGENT))}


_HINTED_COUNT = _counts(_OPEN_STATES, _BY_AGENT, a.c.hint_hash == bindparam("hint_hash"))
_PENDING_COUNT = {key: _counts(*conditions) for key, conditions in _BY_AGENT_AND_USER.items()}
_HAS_REQUESTED = Prepared(
    select(a.c.id).where(_BY_AGENT, _FOR_USER, a.c.created_at >= bindparam("since")).limit(1)
)
_DENIED = (
    select(d.c.user_id, a.c.decided_at, a.c.details)
    .join_from(a, d, d.c.approval_id == a.c.id)
    .where(_BY_AGENT, _is(State.DENIED), a.c.decided_at >= bindparam("since"))
    .where(d.c.decision == literal_column("'deny'"))
)
"""Denials by any user, for requests to any user."""
_DENIALS = Prepared(_DENIED.where(d.c.user_id == bindparam("user")))
_DENIALS_BY_ALL = Prepared(_DENIED)
_CLOSED = (
    select(a)
    .where(_FOR_USER, a.c.decided_at.is_not(None))
    .order_by(a.c.decided_at.desc(), a.c.id.desc())
    .limit(bindparam("limit"))
)
_DECIDED = Prepared(_CLOSED)
_DECIDED_BEFORE = Prepared(
    _CLOSED.where(tuple_(a.c.decided_at, a.c.id) < tuple_(bindparam("at"), bindparam("before")))
)
_CLOSE_FOR_APPROVERS = Prepared(
    update(p)
    .where(p.c.approval_id == bindparam("approval"), p.c.over_at.is_(None))
    .values(over_at=bindparam("now"))
)
_RECORD_POLL = Prepared(
    update(a)
    .where(a.c.id == bindparam("approval"), _is(State.PENDING))
    .values(
        last_poll_at=bindparam("now"),
        interval_ms=bindparam("interval"),
        holder=bindparam("holder"),
        polls=a.c.polls + 1,
    )
)
_NARROW = Prepared(
    update(a)
    .where(
        a.c.id == bindparam("approval"),
        or_(
            and_(_is(State.APPROVED), a.c.granted.is_(None)),
            and_(_is(State.PENDING), a.c.quorum > 1),
        ),
    )
    .values(granted=bindparam("text"), granted_rows=bindparam("rows"), past=bindparam("adds"))
    .returning(a)
)
_KEEP_ANSWER = Prepared(
    update(a)
    .where(a.c.id == bindparam("approval"))
    .values({name: bindparam(name) for name in ("answer", "answer_key", "answer_until")})
)
_DELETE_ANSWERS = Prepared(
    update(a).where(a.c.answer_until <= bindparam("now")).values(answer=None, answer_until=None)
)
_OVERDUE = Prepared(
    select(a)
    .where(
        _OPEN_STATES,
        a.c.expires_at <= bindparam("now"),
        or_(_overdue(State.PENDING), _overdue(State.APPROVED)),
    )
    .order_by(a.c.expires_at)
    .limit(bindparam("limit"))
)
_OPEN_BY_AGENT = Prepared(select(a).where(_OPEN_STATES, _BY_AGENT))
_OPEN_BY_CALLER = Prepared(select(a).where(_OPEN_STATES, a.c.caller_id == bindparam("client")))
_OPEN_FOR_USER = Prepared(select(a).where(_OPEN_STATES, _FOR_USER))
_AT_RESOURCE = Prepared(select(a).where(_OPEN_STATES, a.c.resource == bindparam("uri")))


class Approvals(RecordRows[Approval, str]):
    """Approvals in the database."""

    records = RecordTable(Approval, a, risk=Risk, state=State)

    def by_handle(self, auth_req_hash: bytes) -> Approval | None:
        """Return the approval with this hash of the agent's `auth_req_id`."""
        return self._find(_BY_HANDLE, hash=auth_req_hash)

    def by_idempotency(self, agent_id: str, idempotency_hash: bytes) -> Approval | None:
        """Return the approval that the agent created with this idempotency key."""
        return self._find(_BY_IDEMPOTENCY, agent=agent_id, hash=idempotency_hash)

    def lock(self, approval_id: str) -> Approval | None:
        """Return the approval. PostgreSQL locks its row until the unit of work ends."""
        return self._find(_LOCK, approval=approval_id)

    def open_count(
        self,
        agent_id: str | None,
        user_id: str | None,
        now: int,
        kind: ApprovalKind = "action",
        *,
        urgent: bool = False,
    ) -> int:
        """Count pending approvals of a kind, by agent or all (None), for one user or all (None).

        `urgent` counts only those of high and critical risk.
        """
        statement = _PENDING_COUNT[agent_id is not None, user_id is not None][urgent]
        return self._number(statement, user=user_id, now=now, agent=agent_id, kind=kind)

    def open_hinted(self, agent_id: str, hint_hash: bytes, now: int, *, urgent: bool) -> int:
        """Count pending actions of an agent with one login hint: all, or the urgent ones."""
        values = {"now": now, "agent": agent_id, "hint_hash": hint_hash, "kind": "action"}
        return self._number(_HINTED_COUNT[urgent], **values)

    def asked_before(self, agent_id: str, user_id: str, since: int = 0) -> bool:
        """Return whether this agent asked this user at or after `since`."""
        return self._any(_HAS_REQUESTED, agent=agent_id, user=user_id, since=since)

    def denials_since(self, agent_id: str, user_id: str, since: int) -> list[tuple[int, str]]:
        """Return the time and `details` of the user's denials of this agent's requests."""
        values = {"agent": agent_id, "user": user_id, "since": since}
        return [(row[1], row[2]) for row in _DENIALS.run(self._db, values)]

    def denials_of(self, agent_id: str, since: int) -> list[tuple[str, int, str]]:
        """Return the user ID, time and `details` of each denial of this agent's requests."""
        values = {"agent": agent_id, "since": since}
        return [(row[0], row[1], row[2]) for row in _DENIALS_BY_ALL.run(self._db, values)]

    def waiting(  # the list of an inbox
        self,
        user_id: str,
        now: int,
        limit: int,
        after: ListCursor = None,
        *,
        voted: bool | None = False,
    ) -> list[Approval]:
        """Pending requests for this user after a cursor, by highest risk, then soonest expiry."""
        at, last = after or (0, "")
        values = {"user": user_id, "now": now, "limit": limit, "at": at, "after": last}
        approvals = [
            approval
            for statement in waiting.LISTS[voted]
            for approval in self._list(statement, **values)
        ]
        return sorted(approvals, key=lambda approval: (approval.sort_key, approval.id))[:limit]

    def waiting_count(self, user_id: str, now: int) -> int:
        """Count the pending requests that this user has not answered."""
        return sum(self._number(count, user=user_id, now=now) for count in waiting.COUNTS)

    def list_decided(self, user_id: str, limit: int, before: ListCursor) -> list[Approval]:
        """Closed requests for this user, newest first, before (decided_at, id)."""
        values: dict[str, object] = {"user": user_id, "limit": limit}
        own, others = _DECIDED, waiting.DECIDED_FOR_APPROVER
        if before is not None:
            own, others = _DECIDED_BEFORE, waiting.DECIDED_FOR_APPROVER_BEFORE
            values |= {"at": before[0], "before": before[1]}
        closed = [*self._list(own, **values), *self._list(others, **values)]
        return sorted(closed, key=lambda row: (row.decided_at or 0, row.id), reverse=True)[:limit]

    def search(
        self,
        *,
        state: State | None,
        agent_id: str | None,
        user_id: str | None,
        limit: int,
        before: ListCursor = None,
    ) -> list[Approval]:
        """The newest approvals that match all filters; `before` is the last (created_at, id)."""
        is_open = state in _GRACE
        is_filtered = agent_id is not None or user_id is not None
        # + 0 prevents the databases from reading all requests by time to find a few open ones.
        newest = a.c.created_at + 0 if is_open and is_filtered else a.c.created_at
        statement = select(a).order_by(newest.desc(), a.c.id.desc()).limit(limit)
        if is_open:
            statement = statement.where(_OPEN_STATES)
        if before is not None:
            statement = statement.where(tuple_(newest, a.c.id) < before)
        filters = {"state": state, "agent_id": agent_id, "user_id": user_id}
        statement = statement.where(*matches(a, **filters))
        return self._list(statement)

    def transition(
        self, approval: Approval, target: State, *, now: int, reason: str | None = None
    ) -> Approval | None:
        """Enter the state `target` if the state table and the deadline allow it; else None.

        Leaving pending closes the request for all its approvers.
        """
        values = {"approval": approval.id, "now": now, "reason": reason}
        rows = _TRANSITIONS[target].run(self._db, values)
        if not rows:
            return None
        decided_at, multi_approver = rows[0]
        if multi_approver and target is not State.REDEEMED:
            _CLOSE_FOR_APPROVERS.run(self._db, {"approval": approval.id, "now": now})
        return replace(
            approval,
            state=target,
            reason=reason,
            decided_at=decided_at,
            multi_approver=bool(multi_approver),
        )

    def redeem(self, approval_id: str, now: int) -> bool:
        """Enter the state redeemed; False if the approval is not open."""
        values = {"approval": approval_id, "now": now, "reason": None}
        return bool(_TRANSITIONS[State.REDEEMED].run(self._db, values))

    def narrow(self, approval_id: str, text: str | None, rows: str, past: str) -> Approval | None:
        """Store the narrowed grant of an approved request; None if one was already stored.

        If several must approve, each approver may narrow it further or withdraw a narrowing.
        """
        return self._find(_NARROW, approval=approval_id, text=text, rows=rows, adds=past)

    def record_poll(
        self, approval_id: str, *, now: int, interval_ms: int, holder: str | None
    ) -> None:
        """Record a poll of a pending approval; `holder` is the long poll that may answer it."""
        values = {"approval": approval_id, "now": now, "interval": interval_ms, "holder": holder}
        _RECORD_POLL.run(self._db, values)

    def hold_back(self, approval_id: str) -> None:
        """Record that the user was not notified of this request."""
        self._set(approval_id, held_back=True)

    def mark_seen(self, approval_id: str, now: int) -> bool:
        """Record that the request was shown; return True the first time."""
        return self._set(approval_id, a.c.seen_at.is_(None), seen_at=now)

    def keep_answer(self, approval_id: str, answer: bytes, answer_key: bytes, until: int) -> None:
        """Store the sealed token response for a client that retries with the same key."""
        values = {"answer": answer, "answer_key": answer_key, "answer_until": until}
        _KEEP_ANSWER.run(self._db, {"approval": approval_id, **values})

    def delete_expired_answers(self, now: int) -> int:
        """Delete expired sealed token responses; return their number."""
        return self._count_changes(_DELETE_ANSWERS, now=now)

    def set_notification_token(self, approval_id: str, token: bytes) -> None:
        """Store the sealed token that the next callbacks present."""
        self._set(approval_id, a.c.notification_token.is_not(None), notification_token=token)

    def clear_callback(self, approval_id: str) -> None:
        """Delete the notification token and the pushed response, once the agent was notified."""
        self._set(approval_id, notification_token=None)
        is_pushed = a.c.delivery == "push"
        self._set(approval_id, is_pushed, answer=None, answer_key=None, answer_until=None)

    def overdue(self, now: int, limit: int) -> list[Approval]:
        """Return the approvals that are past the deadline of their state."""
        return self._list(_OVERDUE, now=now, limit=limit)

    def open_of_agent(self, agent_id: str) -> list[Approval]:
        """Return the agent's pending and approved requests."""
        return self._list(_OPEN_BY_AGENT, agent=agent_id)

    def open_of_caller(self, client_id: str) -> list[Approval]:
        """Return the pending and approved requests for calls of this client."""
        return self._list(_OPEN_BY_CALLER, client=client_id)

    def open_of_user(self, user_id: str) -> list[Approval]:
        """Return the pending and approved requests for the user."""
        return self._list(_OPEN_FOR_USER, user=user_id)

    def open_at_resource(self, uri: str) -> list[Approval]:
        """Return the pending and approved requests for this resource."""
        return self._list(_AT_RESOURCE, uri=uri)
