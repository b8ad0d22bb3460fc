"""Rows of outbox messages."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Select,
    Update,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    true,
    update,
)

from server.model.notifications import DeliveryFailure, OutboxMessage
from server.storage.notifications.tables import outbox as o
from server.storage.prepared import Prepared, TimedRows, insert_row, record_reader

_ADD = Prepared(insert_row(o))
_IS_DUE = or_(
    and_(o.c.state == "waiting", o.c.not_before <= bindparam("now")),
    and_(o.c.state == "leased", o.c.lease_until <= bindparam("now")),
)
_ANY_DUE = Prepared(select(o.c.id).where(_IS_DUE).limit(1))
_LIVE = and_(o.c.state == "leased", o.c.lease_until > bindparam("now"))
_TURN = case((_LIVE, 0), (_IS_DUE, 1), else_=2)
_MAX_PER_TARGET = 5
"""The maximum number of messages that are delivered to one target at the same time."""
_MAX_FAILING = 32
"""The maximum number of failing targets to try at the same time, with one message each."""
_head, _other = o.alias("head"), o.alias("other")
_IN_ORDER = (_other.c.channel, _other.c.target, _other.c.not_before, _other.c.id)
_FIRST_WAITING = (
    select(_other.c.id).where(_other.c.state == "waiting").order_by(*_IN_ORDER).limit(1)
)
_next_target = _FIRST_WAITING.where(
    _other.c.channel == _head.c.channel, _other.c.target > _head.c.target
)
_next_channel = _FIRST_WAITING.where(_other.c.channel > _head.c.channel)
_heads = select(_FIRST_WAITING.scalar_subquery().label("id")).cte("heads", recursive=True)
_heads = _heads.union_all(
    select(
        func.coalesce(
            _next_target.correlate(_head).scalar_subquery(),
            _next_channel.correlate(_head).scalar_subquery(),
        )
    ).join_from(_heads, _head, _head.c.id == _heads.c.id)
)
"""The first message of each target. The query uses the index to skip from target to target."""
_TARGETS = (
    select(_head.c.channel, _head.c.target)
    .join_from(_heads, _head, _head.c.id == _heads.c.id)
    .subquery("targets")
)
_next = o.alias("next")
_FIRST = (
    select(_next.c.id)
    .where(
        _next.c.state == "waiting",
        _next.c.channel == _TARGETS.c.channel,
        _next.c.target == _TARGETS.c.target,
    )
    .order_by(_next.c.not_before, _next.c.id)
    .limit(_MAX_PER_TARGET)
    .correlate(_TARGETS)
)
"""The next messages of each target. The index has this order, so long queues are not slower."""
_failed = o.alias("failed")
_FAILING = (
    exists()
    .where(
        _failed.c.channel == o.c.channel,
        _failed.c.target == o.c.target,
        _failed.c.last_error.is_not(None),
        _failed.c.state.in_(("waiting", "leased")),
    )
    .correlate(o)
)


def _lease(candidates: Select[Any], *conditions: ColumnElement[bool]) -> Executable:
    """Return the UPDATE that leases the due candidates: the next messages of each target.

    A row must still meet the `conditions` when it is locked.
    """
    chosen = candidates.union_all(select(o.c.id).where(o.c.state == "leased"))
    ranked = (
        select(
            o.c.id,
            _TURN.label("turn"),
            o.c.not_before,
            case((_FAILING, 1), else_=0).label("failing"),
            func.row_number()
            .over(partition_by=[o.c.channel, o.c.target], order_by=[_TURN, o.c.not_before, o.c.id])
            .label("rank"),
        )
        .where(o.c.id.in_(chosen))
        .subquery()
    )
    r = ranked.c
    numbered = (
        select(
            r.id,
            r.turn,
            r.failing,
            func.row_number()
            .over(partition_by=r.failing, order_by=[r.turn, r.not_before, r.id])
            .label("position"),
        )
        .where(r.rank <= case((r.failing == 1, 1), else_=_MAX_PER_TARGET))
        .subquery()
    )
    n = numbered.c
    taken = select(n.id).where(n.turn == 1, or_(n.failing == 0, n.position <= _MAX_FAILING))
    due = (
        select(o.c.id)
        .where(o.c.id.in_(taken), *conditions)
        .order_by(o.c.not_before, o.c.id)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True)
        .cte("due")  # in a subquery, PostgreSQL may select the batch more than once
    )
    return (
        update(o)
        .where(o.c.id.in_(select(due.c.id)))
        .values(
            state="leased",
            lease_by=bindparam("holder"),
            lease_until=bindparam("lease_until"),
            attempts=o.c.attempts + 1,
        )
        .returning(o)
    )


_per_target = _FIRST.lateral("per_target")
_LEASE = {
    "sqlite": _lease(select(o.c.id).select_from(_TARGETS.join(o, o.c.id.in_(_FIRST)))),
    "postgresql": _lease(
        select(_per_target.c.id).select_from(_TARGETS.join(_per_target, true())), _IS_DUE
    ),
}
_COUNTS = select(o.c.state, func.count()).group_by(o.c.state)
_DEAD = select(o).where(o.c.state == "dead").order_by(o.c.id.desc()).limit(bindparam("limit"))
_LAST_DEAD = (
    select(func.max(o.c.id).label("id"), func.count().label("messages"))
    .where(o.c.state == "dead", o.c.created_at >= bindparam("since"))
    .group_by(o.c.channel, o.c.target)
    .subquery()
)
_later = o.alias()
_FAILURES = (
    select(
        o.c.channel,
        o.c.target,
        _LAST_DEAD.c.messages,
        o.c.last_error,
        exists()
        .where(
            _later.c.state == "sent",
            _later.c.attempts == 1,
            _later.c.channel == o.c.channel,
            _later.c.target == o.c.target,
            _later.c.id > o.c.id,
        )
        .label("recovered"),
    )
    .join(_LAST_DEAD, _LAST_DEAD.c.id == o.c.id)
    .order_by(o.c.channel, o.c.target)
)
_read_message = record_reader(OutboxMessage, o)
_PRUNE = delete(o).where(
    or_(
        and_(o.c.state == "sent", o.c.created_at < bindparam("before")),
        and_(o.c.state == "dead", o.c.created_at < bindparam("dead_before")),
    )
)


class Outbox(TimedRows):
    """The outbox in the database."""

    def __init__(self, connection: Connection, now: int, on_add: Callable[[], None]) -> None:
        super().__init__(connection, now)
        self._on_add = on_add

    def add(self, channel: str, target: str, body: str, *, after_ms: int = 0) -> None:
        """Add a message. It is delivered after the commit, at the earliest after `after_ms`."""
        row = {
            "channel": channel,
            "target": target,
            "body": body,
            "state": "waiting",
            "attempts": 0,
            "not_before": self._now + after_ms,
            "lease_until": None,
            "lease_by": None,
            "created_at": self._now,
            "last_error": None,
        }
        _ADD.run(self._db, row)
        self._on_add()

    def discard(self, channel: str) -> int:
        """Mark an unused channel's waiting messages as sent; return the number of messages."""
        waiting = update(o).where(o.c.state == "waiting", o.c.channel == channel)
        return self._count_changes(waiting.values(state="sent"))

    def lease(self, holder: str, limit: int, seconds: int) -> list[OutboxMessage]:
        """Lease messages that are due or whose lease has expired."""
        statement, until = _LEASE[self._db.dialect.name], self._now + seconds * 1000
        leased = self._many(
            _read_message, statement, now=self._now, limit=limit, holder=holder, lease_until=until
        )
        return sorted(leased, key=lambda message: message.id)

    def due(self) -> bool:
        """Return whether there is a message to deliver now."""
        return self._any(_ANY_DUE, now=self._now)

    def mark_sent(self, message_id: int, holder: str) -> bool:
        """Mark a message as sent; return whether the holder still had the lease."""
        return self._change(_update_of(message_id, holder).values(state="sent", last_error=None))

    def mark_failed(self, message_id: int, holder: str, error: str, not_before: int | None) -> bool:
        """Schedule a retry at `not_before`, or mark the message dead if it is None."""
        values = {
            "state": "dead" if not_before is None else "waiting",
            "not_before": self._now if not_before is None else not_before,
            "last_error": error,
        }
        return self._change(_update_of(message_id, holder).values(values))

    def counts(self) -> Mapping[str, int]:
        """Return the number of messages in each state."""
        return {row[0]: row[1] for row in self._db.execute(_COUNTS)}

    def dead(self, limit: int) -> list[OutboxMessage]:
        """Return dead messages, newest first."""
        return self._many(_read_message, _DEAD, limit=limit)

    def retry(self, message_id: int) -> OutboxMessage | None:
        """Queue a dead message again; None if there is no such message."""
        is_dead = o.c.id == message_id, o.c.state == "dead"
        new = {"state": "waiting", "attempts": 0, "not_before": self._now, "last_error": None}
        message = self._one(_read_message, update(o).where(*is_dead).values(new).returning(o))
        if message is not None:
            self._on_add()
        return message

    def failures(self, since: int) -> list[DeliveryFailure]:
        """Return the dead messages created since then, by target."""
        rows = self._db.execute(_FAILURES, {"since": since}).mappings()
        return [DeliveryFailure(**{**row, "recovered": bool(row["recovered"])}) for row in rows]

    def prune(self, before: int, *, dead_before: int) -> int:
        """Delete sent messages created before `before`, and dead ones from before `dead_before`."""
        return self._count_changes(_PRUNE, before=before, dead_before=dead_before)


def _update_of(message_id: int, holder: str) -> Update:
    """Return the UPDATE of a message that the holder has leased."""
    is_leased = o.c.state == "leased", o.c.lease_by == holder
    return update(o).where(o.c.id == message_id, *is_leased)
