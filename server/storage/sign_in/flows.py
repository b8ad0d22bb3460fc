"""Rows of authorization requests, pushed or in progress."""

from sqlalchemy import bindparam, delete, insert, or_, select, update

from server.model.sign_in import Flow, PushedRequest
from server.storage import codec
from server.storage.prepared import DatabaseRows, reading, writing
from server.storage.sign_in.tables import flows as f
from server.storage.sign_in.tables import pushed_requests as p

_record = reading(Flow, f, approvals=codec.names)
_values = writing(f, approvals=codec.dump)
_pushed, _pushed_values = reading(PushedRequest, p), writing(p)
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
        sign_in_id=bindparam("sign_in"), allowed_at=bindparam("now"), approvals=bindparam("asked")
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
        """Return the pushed request on its first use, by its own app, before it expires."""
        return self._one(_pushed, _TAKE, request_hash=pushed_hash, app=app_id, now=now)

    def add(self, flow: Flow) -> None:
        """Store a new request."""
        self._db.execute(_ADD, _values(flow))

    def get(self, flow_hash: bytes) -> Flow | None:
        """By the hash of its handle."""
        return self._one(_record, _GET, flow_hash=flow_hash)

    def bind(self, flow_hash: bytes, sign_in_id: str) -> bool:
        """Return whether it now belongs to this sign-in."""
        return self._any(_BIND, flow_hash=flow_hash, sign_in=sign_in_id)

    def allow(
        self, flow_hash: bytes, sign_in_id: str, approvals: tuple[str, ...], now: int
    ) -> bool:
        """Return whether this was the first consent."""
        asked = codec.dump(approvals)
        return self._any(_ALLOW, flow_hash=flow_hash, sign_in=sign_in_id, asked=asked, now=now)

    def finish(self, flow_hash: bytes, now: int) -> bool:
        """Return whether this call finished it."""
        return self._any(_FINISH, flow_hash=flow_hash, now=now)

    def prune(self, now: int) -> None:
        """Delete expired requests."""
        for statement in _PRUNE:
            self._db.execute(statement, {"now": now})
