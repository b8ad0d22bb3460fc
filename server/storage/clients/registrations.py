"""Rows of invitations and registrations."""

from sqlalchemy import bindparam, delete, select

from server.model.clients import Invitation, Registration
from server.storage import codec
from server.storage.clients.tables import invitations as i
from server.storage.clients.tables import registrations as r
from server.storage.prepared import RecordRows, RecordTable

_BY_TOKEN = select(i).where(i.c.token_hash == bindparam("token_hash"))
_PAGE = select(i).where(i.c.id > bindparam("after")).order_by(i.c.id).limit(bindparam("limit"))
_LISTS = ("grant_types", "resources", "scopes", "action_types", "asks")


class Invitations(RecordRows[Invitation, str]):
    """Invitations in the database."""

    records = RecordTable(Invitation, i, **dict.fromkeys(_LISTS, codec.load_tuple))

    def by_token(self, token_hash: bytes) -> Invitation | None:
        """Return the invitation with this token hash."""
        return self._find(_BY_TOKEN, token_hash=token_hash)

    def page(self, after: str, limit: int) -> list[Invitation]:
        """Return the invitations after this ID, including those that are no longer valid."""
        return self._list(_PAGE, after=after, limit=limit)

    def spend(self, invitation_id: str, now: int) -> bool:
        """Count one use of an invitation; return False if it has no uses left."""
        is_live = i.c.uses_left > 0, i.c.revoked_at.is_(None), i.c.expires_at > now
        return self._set(invitation_id, *is_live, uses_left=i.c.uses_left - 1)

    def revoke(self, invitation_id: str, now: int) -> bool:
        """Revoke an invitation; return False if it was already revoked."""
        return self._set(invitation_id, i.c.revoked_at.is_(None), revoked_at=now)


class Registrations(RecordRows[Registration, str]):
    """Registrations in the database."""

    records = RecordTable(Registration, r)

    def end(self, agent_id: str) -> None:
        """Invalidate the registration token."""
        self._db.execute(delete(r).where(r.c.agent_id == agent_id))
