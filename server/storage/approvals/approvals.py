"""Rows of approvals: each step of their life is one UPDATE that the state table built.

States stand in the statements as text, not as values: only then do both databases see that the
index of the open ones is enough.
"""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import (
    ColumnElement,
    Connection,
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

from server.model.approvals import Approval, ApprovalKind
from server.protocol.approvals.states import REDEMPTION_GRACE_MS, State, origins
from server.protocol.policy.risks import Risk
from server.storage.approvals.waiting import ASKING, COUNTS, WAITING, asking
from server.storage.approvers.approver_tables import approvers as p
from server.storage.prepared import Prepared, adding, reading, writing
from server.storage.tables import approvals as a
from server.storage.tables import decisions as d

_GRACE = {State.PENDING: 0, State.APPROVED: REDEMPTION_GRACE_MS}


def _is(state: State) -> ColumnElement[bool]:
    return a.c.state == literal_column(f"'{state}'")


def _in_time(state: State) -> ColumnElement[bool]:
    return and_(_is(state), a.c.expires_at + _GRACE[state] > bindparam("now"))


def _overdue(state: State) -> ColumnElement[bool]:
    return and_(_is(state), a.c.expires_at <= bindparam("now") - _GRACE[state])


_ENOUGH = or_(
    a.c.quorum == 1,
    select(func.count(func.coalesce(d.c.stands_for, d.c.user_id).distinct()))
    .where(d.c.approval_id == a.c.id, d.c.decision == "approve", d.c.voided_at.is_(None))
    .scalar_subquery()
    >= a.c.quorum,
)
"""There is the yes of so many people as must, their own or that of who stands in for them."""


def _step(target: State) -> Update:
    """The UPDATE that enters `target`: from its origins alone, before or after their deadline.

    Nothing is approved by fewer people than it takes, whoever asks for it.
    """
    clock = _overdue if target is State.EXPIRED else _in_time
    more = [_ENOUGH] if target is State.APPROVED else []
    return (
        update(a)
        .where(a.c.id == bindparam("of"), or_(*(clock(s) for s in sorted(origins(target)))), *more)
        .values(
            state=str(target),
            reason=bindparam("why"),
            decided_at=func.coalesce(a.c.decided_at, bindparam("now")),
        )
        .returning(a.c.decided_at, a.c.several)
    )


_MOVES = {target: Prepared(_step(target)) for target in State if origins(target)}
_ADD = Prepared(adding(a))
_GET = Prepared(select(a).where(a.c.id == bindparam("of")))
_BY_HANDLE = Prepared(select(a).where(a.c.auth_req_hash == bindparam("hash")))
_BY_IDEMPOTENCY = Prepared(
    select(a).where(a.c.agent_id == bindparam("agent"), a.c.idempotency_hash == bindparam("hash"))
)
_IS_OPEN = a.c.state.in_([literal_column("'pending'"), literal_column("'approved'")])
"""Word for word what the indexes of the open ones are limited to."""
_COUNT = (
    select(func.count())
    .select_from(a)
    .where(_in_time(State.PENDING), a.c.kind == bindparam("kind"))
)
_OF_USER = a.c.user_id == bindparam("user")
_OF_AGENT = a.c.agent_id == bindparam("agent")
_URGENT = a.c.risk.in_([literal_column("'high'"), literal_column("'critical'")])
_WHOSE = {
    (False, True): (_OF_USER,),
    (True, False): (_IS_OPEN, _OF_AGENT),
    (True, True): (_IS_OPEN, _OF_AGENT, _OF_USER),
}
"""Of one agent or all, for one user or all."""
_HINTED = (_IS_OPEN, _OF_AGENT, a.c.hint_hash == bindparam("hint"))
_OPEN_HINTED = {
    False: Prepared(_COUNT.where(*_HINTED)),
    True: Prepared(_COUNT.where(*_HINTED, _URGENT)),
}
"""Of one agent with one hint; all of them, or the urgent ones."""
_OPEN = {whose: Prepared(_COUNT.where(*are)) for whose, are in _WHOSE.items()}
_OPEN_URGENT = {whose: Prepared(_COUNT.where(*are, _URGENT)) for whose, are in _WHOSE.items()}
_ASKED = Prepared(
    select(a.c.id).where(_OF_AGENT, _OF_USER, a.c.created_at >= bindparam("since")).limit(1)
)
_DENIED = (
    select(d.c.user_id, a.c.decided_at, a.c.details)
    .join_from(a, d, d.c.approval_id == a.c.id)
    .where(_OF_AGENT, _is(State.DENIED), a.c.decided_at >= bindparam("since"))
    .where(d.c.decision == literal_column("'deny'"))
)
"""By whoever said no, whomever the request was for."""
_DENIALS = Prepared(_DENIED.where(d.c.user_id == bindparam("user")))
_DENIALS_OF = Prepared(_DENIED)
_OVER = (
    select(a)
    .where(_OF_USER, a.c.decided_at.is_not(None))
    .order_by(a.c.decided_at.desc(), a.c.id.desc())
    .limit(bindparam("limit"))
)
_DECIDED = Prepared(_OVER)
_DECIDED_BEFORE = Prepared(
    _OVER.where(tuple_(a.c.decided_at, a.c.id) < tuple_(bindparam("at"), bindparam("before")))
)
_ASKED_OF = (
    asking(p.c.over_at.is_not(None))
    .order_by(p.c.over_at.desc(), p.c.approval_id.desc())
    .limit(bindparam("limit"))
)
_ASKED_THEM = Prepared(_ASKED_OF)
_ASKED_THEM_BEFORE = Prepared(
    _ASKED_OF.where(
        tuple_(p.c.over_at, p.c.approval_id) < tuple_(bindparam("at"), bindparam("before"))
    )
)
_ASKS_NOBODY = Prepared(
    update(p)
    .where(p.c.approval_id == bindparam("of"), p.c.over_at.is_(None))
    .values(over_at=bindparam("now"))
)
_PACED = Prepared(
    update(a)
    .where(a.c.id == bindparam("of"), _is(State.PENDING))
    .values(
        last_poll_at=bindparam("now"),
        interval_ms=bindparam("interval"),
        holder=bindparam("by"),
        polls=a.c.polls + 1,
    )
)
_NARROW = Prepared(
    update(a)
    .where(
        a.c.id == bindparam("of"),
        or_(
            and_(_is(State.APPROVED), a.c.granted.is_(None)),
            and_(_is(State.PENDING), a.c.quorum > 1),
        ),
    )
    .values(granted=bindparam("text"), granted_rows=bindparam("rows"), past=bindparam("adds"))
    .returning(a)
)
_SEEN = Prepared(
    update(a)
    .where(a.c.id == bindparam("of"), a.c.seen_at.is_(None))
    .values(seen_at=bindparam("now"))
    .returning(a.c.id)
)
_HOLD_BACK = Prepared(update(a).where(a.c.id == bindparam("of")).values(held_back=True))
_KEEP = Prepared(
    update(a)
    .where(a.c.id == bindparam("of"))
    .values(answer=bindparam("text"), answer_key=bindparam("key"), answer_until=bindparam("until"))
)
_FORGET = Prepared(
    update(a)
    .where(a.c.answer_until <= bindparam("now"))
    .values(answer=None, answer_key=None, answer_until=None)
    .returning(a.c.id)
)
_FORGET_TOKEN = Prepared(update(a).where(a.c.id == bindparam("of")).values(notification_token=None))
_FORGET_PUSHED = Prepared(
    update(a)
    .where(a.c.id == bindparam("of"), a.c.delivery == "push")
    .values(answer=None, answer_key=None, answer_until=None)
)
_DUE = Prepared(
    select(a)
    .where(
        _IS_OPEN,
        a.c.expires_at <= bindparam("now"),
        or_(_overdue(State.PENDING), _overdue(State.APPROVED)),
    )
    .order_by(a.c.expires_at)
    .limit(bindparam("limit"))
)
_OPEN_BY_AGENT = Prepared(select(a).where(_IS_OPEN, _OF_AGENT))
_OPEN_FOR_USER = Prepared(
    # Written so that SQLite does not take the index of everything this user ever decided.
    select(a).where(_IS_OPEN, a.c.user_id.concat(literal_column("''")) == bindparam("user"))
)
_AT_RESOURCE = Prepared(select(a).where(_IS_OPEN, a.c.resource == bindparam("uri")))
_record = reading(Approval, a, risk=Risk, state=State)
_values = writing(a)


class Approvals:
    """Approvals in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, approval: Approval) -> None:
        """Store a new approval."""
        _ADD.run(self._connection, _values(approval))

    def get(self, approval_id: str) -> Approval | None:
        """By id."""
        return self._one(_GET, {"of": approval_id})

    def by_handle(self, auth_req_hash: bytes) -> Approval | None:
        """By the hash of the agent's `auth_req_id`."""
        return self._one(_BY_HANDLE, {"hash": auth_req_hash})

    def by_idempotency(self, agent_id: str, idempotency_hash: bytes) -> Approval | None:
        """The approval that this key of this agent made."""
        return self._one(_BY_IDEMPOTENCY, {"agent": agent_id, "hash": idempotency_hash})

    def open_count(
        self, agent_id: str | None, user_id: str | None, now: int, kind: ApprovalKind = "action"
    ) -> int:
        """Unanswered ones of a kind: of one agent or all (None), for one user or all (None)."""
        values = {"user": user_id, "now": now, "agent": agent_id, "kind": kind}
        statement = _OPEN[agent_id is not None, user_id is not None]
        return int(statement.run(self._connection, values)[0][0])

    def open_urgent(self, agent_id: str | None, user_id: str | None, now: int) -> int:
        """Unanswered actions of high and critical risk, counted likewise."""
        values = {"user": user_id, "now": now, "agent": agent_id, "kind": "action"}
        statement = _OPEN_URGENT[agent_id is not None, user_id is not None]
        return int(statement.run(self._connection, values)[0][0])

    def open_hinted(self, agent_id: str, hint_hash: bytes, now: int, *, urgent: bool) -> int:
        """Unanswered actions of an agent with one hint; all or urgent ones."""
        values = {"now": now, "agent": agent_id, "hint": hint_hash, "kind": "action"}
        return int(_OPEN_HINTED[urgent].run(self._connection, values)[0][0])

    def asked_before(self, agent_id: str, user_id: str, since: int = 0) -> bool:
        """Reports whether this agent asked this user before, at this moment or later."""
        values = {"agent": agent_id, "user": user_id, "since": since}
        return bool(_ASKED.run(self._connection, values))

    def denials_since(self, agent_id: str, user_id: str, since: int) -> list[tuple[int, str]]:
        """When, and with which details, the user themselves denied this agent."""
        values = {"agent": agent_id, "user": user_id, "since": since}
        return [(row[1], row[2]) for row in _DENIALS.run(self._connection, values)]

    def denials_of(self, agent_id: str, since: int) -> list[tuple[str, int, str]]:
        """Likewise of every user, with who it was."""
        values = {"agent": agent_id, "since": since}
        return [(row[0], row[1], row[2]) for row in _DENIALS_OF.run(self._connection, values)]

    def waiting(
        self, user_id: str, now: int, limit: int, after: tuple[int, str] | None
    ) -> list[Approval]:
        """What waits for this user, gravest first and then soonest end; `after` is (place, id)."""
        at, last = after or (0, "")
        values = {"user": user_id, "now": now, "limit": limit, "at": at, "after": last}
        found = [*self._many(WAITING, values), *self._many(ASKING, values)]
        return sorted(found, key=lambda one: (one.place, one.id))[:limit]

    def waiting_count(self, user_id: str, now: int) -> int:
        """How much waits for this user."""
        values = {"user": user_id, "now": now}
        return sum(int(each.run(self._connection, values)[0][0]) for each in COUNTS)

    def decided(self, user_id: str, limit: int, before: tuple[int, str] | None) -> list[Approval]:
        """What is over for this user, newest first; `before` is the last one's (end, id)."""
        values: dict[str, object] = {"user": user_id, "limit": limit}
        theirs, others = _DECIDED, _ASKED_THEM
        if before is not None:
            theirs, others = _DECIDED_BEFORE, _ASKED_THEM_BEFORE
            values |= {"at": before[0], "before": before[1]}
        found = [*self._many(theirs, values), *self._many(others, values)]
        return sorted(found, key=lambda one: (one.decided_at or 0, one.id), reverse=True)[:limit]

    def search(
        self,
        *,
        state: State | None,
        agent_id: str | None,
        user_id: str | None,
        limit: int,
        before: tuple[int, str] | None = None,
    ) -> list[Approval]:
        """The newest approvals that match everything that is given, behind a moment and an id."""
        newest = a.c.created_at + 0 if state in _GRACE else a.c.created_at  # not by that index
        statement = select(a).order_by(newest.desc(), a.c.id.desc()).limit(limit)
        if state in _GRACE:
            statement = statement.where(_IS_OPEN)
        if before is not None:
            statement = statement.where(tuple_(newest, a.c.id) < before)
        for column, one in ((a.c.state, state), (a.c.agent_id, agent_id), (a.c.user_id, user_id)):
            if one is not None:
                statement = statement.where(column == str(one))
        return [_record(row) for row in self._connection.execute(statement).all()]

    def move(
        self, approval: Approval, target: State, *, now: int, reason: str | None = None
    ) -> Approval | None:
        """Take the step to `target` if the state table and the deadline allow it; else None.

        With the first step it is over for everybody whom it asks.
        """
        values = {"of": approval.id, "now": now, "why": reason}
        moved = _MOVES[target].run(self._connection, values)
        if not moved:
            return None
        decided_at, several = moved[0]
        if several and target is not State.REDEEMED:
            _ASKS_NOBODY.run(self._connection, {"of": approval.id, "now": now})
        return replace(
            approval, state=target, reason=reason, decided_at=decided_at, several=bool(several)
        )

    def redeem(self, approval_id: str, now: int) -> bool:
        """Take that step, and nothing follows of it; False when it is not open."""
        step = {"of": approval_id, "now": now, "why": None}
        return bool(_MOVES[State.REDEEMED].run(self._connection, step))

    def narrow(self, approval_id: str, text: str, rows: str, past: str) -> Approval | None:
        """Say what of an approved one was granted, once; None when that was said before.

        While several people must say yes, each of them may make it less than the one before.
        """
        values = {"of": approval_id, "text": text, "rows": rows, "adds": past}
        return self._one(_NARROW, values)

    def paced(self, approval_id: str, *, now: int, interval_ms: int, holder: str | None) -> None:
        """Remember a poll of a pending approval; `holder` is the held one that may answer."""
        values = {"of": approval_id, "now": now, "interval": interval_ms, "by": holder}
        _PACED.run(self._connection, values)

    def hold_back(self, approval_id: str) -> None:
        """Remember that the person it is for was not called for it."""
        _HOLD_BACK.run(self._connection, {"of": approval_id})

    def seen(self, approval_id: str, now: int) -> bool:
        """Reports whether this was the first look."""
        return bool(_SEEN.run(self._connection, {"of": approval_id, "now": now}))

    def keep_answer(self, approval_id: str, answer: bytes, answer_key: bytes, until: int) -> None:
        """Keep the sealed answer for the client that asks again with the same key."""
        values = {"of": approval_id, "text": answer, "key": answer_key, "until": until}
        _KEEP.run(self._connection, values)

    def forget_answers(self, now: int) -> int:
        """Drop sealed answers whose time is over; returns how many."""
        return len(_FORGET.run(self._connection, {"now": now}))

    def forget_call(self, approval_id: str) -> None:
        """Drop what was kept for calling the agent back: its token, and a pushed answer."""
        for statement in (_FORGET_TOKEN, _FORGET_PUSHED):
            statement.run(self._connection, {"of": approval_id})

    def due(self, now: int, limit: int) -> list[Approval]:
        """Those whose state the clock has ended."""
        return self._many(_DUE, {"now": now, "limit": limit})

    def open_of_agent(self, agent_id: str) -> list[Approval]:
        """The agent's pending and approved ones."""
        return self._many(_OPEN_BY_AGENT, {"agent": agent_id})

    def open_of_user(self, user_id: str) -> list[Approval]:
        """The user's pending and approved ones."""
        return self._many(_OPEN_FOR_USER, {"user": user_id})

    def open_at_resource(self, uri: str) -> list[Approval]:
        """Pending and approved ones for this resource."""
        return self._many(_AT_RESOURCE, {"uri": uri})

    def _one(self, statement: Prepared, values: Mapping[str, object]) -> Approval | None:
        rows = statement.run(self._connection, values)
        return _record(rows[0]) if rows else None

    def _many(self, statement: Prepared, values: Mapping[str, object]) -> list[Approval]:
        return [_record(row) for row in statement.run(self._connection, values)]
