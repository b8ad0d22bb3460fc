"""Rows of authorization requests, pushed or in progress."""

from sqlalchemy import Executable, bindparam, delete, insert, or_, select, update
from sqlalchemy.engine import RowMapping

from server.model.sign_in import Flow, PushedRequest
from server.storage import codec
from server.storage.account_tables import flows as f
from server.storage.account_tables import pushed_requests as p
from server.storage.prepared import DatabaseRows

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
        self._db.execute(_PUSH, {n: getattr(pushed, n) for n in PushedRequest.__slots__})

    def take(self, pushed_hash: bytes, app_id: str, now: int) -> PushedRequest | None:
        """Return the pushed request on its first use, by its own app, before it expires."""
        values = {"request_hash": pushed_hash, "app": app_id, "now": now}
        rows = self._db.execute(_TAKE, values).mappings().all()
        return PushedRequest(**{**rows[0], "hash": bytes(rows[0]["hash"])}) if rows else None

    def add(self, flow: Flow) -> None:
        """Store a new request."""
        row = {name: getattr(flow, name) for name in Flow.__slots__}
        self._db.execute(_ADD, row | {"approvals": codec.dump(list(flow.approvals))})

    def get(self, flow_hash: bytes) -> Flow | None:
        """By the hash of its handle."""
        row = self._db.execute(_GET, {"flow_hash": flow_hash}).mappings().first()
        return None if row is None else _record(row)

    def bind(self, flow_hash: bytes, sign_in_id: str) -> bool:
        """Return whether it now belongs to this sign-in."""
        return self._moved(_BIND, {"flow_hash": flow_hash, "sign_in": sign_in_id})

    def allow(
        self, flow_hash: bytes, sign_in_id: str, approvals: tuple[str, ...], now: int
    ) -> bool:
        """Return whether this was the first consent."""
        asked = codec.dump(list(approvals))
        values = {"flow_hash": flow_hash, "sign_in": sign_in_id, "asked": asked, "now": now}
        return self._moved(_ALLOW, values)

    def finish(self, flow_hash: bytes, now: int) -> bool:
        """Return whether this call finished it."""
        return self._moved(_FINISH, {"flow_hash": flow_hash, "now": now})

    def prune(self, now: int) -> None:
        """Delete expired requests."""
        for statement in _PRUNE:
            self._db.execute(statement, {"now": now})

    def _moved(self, statement: Executable, values: dict[str, object]) -> bool:
        return bool(self._db.execute(statement, values).all())


def _record(row: RowMapping) -> Flow:
    approvals = codec.names(row["approvals"])
    return Flow(**{**row, "hash": bytes(row["hash"]), "approvals": approvals})
