"""Rows of authorization requests, pushed or in progress."""

from sqlalchemy import bindparam, delete, insert, or_, select, update

from server.model.sign_in import Flow, PushedRequest
from server.storage import codec
from server.storage.prepared import DatabaseRows, record_reader, row_writer
from server.storage.sign_in.tables import flows as f
from server.storage.sign_in.tables import pushed_requests as p

_record = record_reader(Flow, f, approvals=codec.names)
_values = row_writer(f, approvals=codec.dump)
_pushed, _pushed_values = record_reader(PushedRequest, p), row_writer(p)
_PUSH = insert(p)
_TAKE = (
    update(p)
    .where(
        p.c.hash == bindparam("request_hash"),
        p.c.app_id == bindparam("app"),
        p.c.used_at.is_(None),
        p.c.expires_at > bindparam("now"),
    )
    .values(used_at=bindparam("now"))
    .returning(p)
)
_ADD = insert(f)
_GET = select(f).where(f.c.hash == bindparam("flow_hash"))
_OPEN = (f.c.hash == bindparam("flow_hash"), f.c.done_at.is_(None))
_BIND = (
    update(f)
    .where(*_OPEN, f.c.allowed_at.is_(None))
    .values(sign_in_id=bindparam("sign_in"))
    .returning(f.c.hash)
)
_ALLOW = (
    update(f)
    .where(
        *_OPEN,
        f.c.allowed_at.is_(None),
        or_(f.c.sign_in_id.is_(None), f.c.sign_in_id == bindparam("sign_in")),
        f.c.expires_at > bindparam("now"),
    )
    .values(
        sign_in_id=bindparam("sign_in"),
        allowed_at=bindparam("now"),
        approvals=bindparam("approvals"),
    )
    .returning(f.c.hash)
)
_FINISH = (
    update(f)
    .where(*_OPEN, f.c.expires_at > bindparam("now"))
    .values(done_at=bindparam("now"))
    .returning(f.c.hash)
)
_PRUNE = (
    delete(f).where(f.c.expires_at < bindparam("now")),
    delete(p).where(p.c.expires_at < bindparam("now")),
)


class Flows(DatabaseRows):
    """Authorization requests in the database."""

    def push(self, pushed: PushedRequest) -> None:
        """Store a pushed request."""
        self._db.execute(_PUSH, _pushed_values(pushed))

    def take(self, pushed_hash: bytes, app_id: str, now: int) -> PushedRequest | None:
        """Return the pushed request if its app uses it for the first time, before it expires."""
        return self._one(_pushed, _TAKE, request_hash=pushed_hash, app=app_id, now=now)

    def add(self, flow: Flow) -> None:
        """Store a new request."""
        self._db.execute(_ADD, _values(flow))

    def get(self, flow_hash: bytes) -> Flow | None:
        """Return the request whose handle has this hash."""
        return self._one(_record, _GET, flow_hash=flow_hash)

    def bind(self, flow_hash: bytes, sign_in_id: str) -> bool:
        """Assign the request to this sign-in; returns False if consent was already given."""
        return self._any(_BIND, flow_hash=flow_hash, sign_in=sign_in_id)

    def allow(
        self, flow_hash: bytes, sign_in_id: str, approvals: tuple[str, ...], now: int
    ) -> bool:
        """Record the user's consent; returns False if already recorded or the request is closed."""
        values = {"sign_in": sign_in_id, "approvals": codec.dump(approvals), "now": now}
        return self._any(_ALLOW, flow_hash=flow_hash, **values)

    def finish(self, flow_hash: bytes, now: int) -> bool:
        """Mark the request as finished; returns False if it was finished or has expired."""
        return self._any(_FINISH, flow_hash=flow_hash, now=now)

    def prune(self, now: int) -> None:
        """Delete expired requests."""
        for statement in _PRUNE:
            self._db.execute(statement, {"now": now})
