"""Rows of authorization requests, pushed or in progress."""

from sqlalchemy import bindparam, delete, or_

from server.model.sign_in import Flow, PushedRequest
from server.storage import codec
from server.storage.prepared import ExpiringRows, RecordRows, RecordTable
from server.storage.sign_in.tables import flows as f
from server.storage.sign_in.tables import pushed_requests as p

_PUSHED = RecordTable(PushedRequest, p)
_PRUNE_PUSHED = delete(p).where(p.c.expires_at <= bindparam("now"))


class Flows(RecordRows[Flow, bytes], ExpiringRows):
    """Authorization requests in the database."""

    records = RecordTable(Flow, f, approvals=codec.load_tuple)
    expires_at = f.c.expires_at

    def push(self, pushed: PushedRequest) -> None:
        """Store a pushed request."""
        _PUSHED.add(self._db, pushed)

    def take(self, pushed_hash: bytes, app_id: str, now: int) -> PushedRequest | None:
        """Return the pushed request if its app uses it for the first time, before it expires."""
        is_usable = p.c.app_id == app_id, p.c.used_at.is_(None), p.c.expires_at > now
        taken = _PUSHED.update(pushed_hash, *is_usable, used_at=now)
        return self._one(_PUSHED.read, taken.returning(p))

    def bind(self, flow_hash: bytes, sign_in_id: str) -> bool:
        """Assign the request to this sign-in; return False if consent was already given."""
        is_open = f.c.done_at.is_(None), f.c.allowed_at.is_(None)
        return self._set(flow_hash, *is_open, sign_in_id=sign_in_id)

    def allow(
        self, flow_hash: bytes, sign_in_id: str, approvals: tuple[str, ...], now: int
    ) -> bool:
        """Record the user's consent; return False if already recorded or the request is closed."""
        is_open = f.c.done_at.is_(None), f.c.allowed_at.is_(None), f.c.expires_at > now
        is_own = or_(f.c.sign_in_id.is_(None), f.c.sign_in_id == sign_in_id)
        values = {"sign_in_id": sign_in_id, "allowed_at": now, "approvals": codec.dump(approvals)}
        return self._set(flow_hash, *is_open, is_own, **values)

    def finish(self, flow_hash: bytes, now: int) -> bool:
        """Mark the request as finished; return False if it was finished or has expired."""
        return self._set(flow_hash, f.c.done_at.is_(None), f.c.expires_at > now, done_at=now)

    def prune(self, now: int) -> int:
        """Delete expired requests."""
        return super().prune(now) + self._count_changes(_PRUNE_PUSHED, now=now)
