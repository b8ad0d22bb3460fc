"""Rows of invitations and registrations."""

from sqlalchemy import bindparam, delete, insert, select, update

from server.model.clients import Invitation, Registration
from server.storage import codec
from server.storage.clients.tables import invitations as i
from server.storage.clients.tables import registrations as r
from server.storage.prepared import DatabaseRows, record_reader, row_writer

_ADD = insert(i)
_GET = select(i).where(i.c.id == bindparam("invitation"))
_BY_TOKEN = select(i).where(i.c.token_hash == bindparam("token_hash"))
_PAGE = select(i).where(i.c.id > bindparam("after")).order_by(i.c.id).limit(bindparam("limit"))
_SPEND = (
    update(i)
    .where(
        i.c.id == bindparam("invitation"),
        i.c.uses_left > 0,
        i.c.revoked_at.is_(None),
        i.c.expires_at > bindparam("now"),
    )
    .values(uses_left=i.c.uses_left - 1)
    .returning(i.c.id)
)
_REVOKE = (
    update(i)
    .where(i.c.id == bindparam("invitation"), i.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
    .returning(i.c.id)
)
_REGISTER = insert(r)
_BY_AGENT = select(r).where(r.c.agent_id == bindparam("agent"))
_LISTS = ("grant_types", "resources", "scopes", "action_types", "asks")
_record = record_reader(Invitation, i, **dict.fromkeys(_LISTS, codec.names))
_values = row_writer(i, **dict.fromkeys(_LISTS, codec.dump))
_registration = record_reader(Registration, r)
_registration_values = row_writer(r)

_END = delete(r).where(r.c.agent_id == bindparam("agent"))


class Invitations(DatabaseRows):
    """Invitations in the database."""

    def add(self, invitation: Invitation) -> None:
        """Store a new invitation."""
        self._db.execute(_ADD, _values(invitation))

    def get(self, invitation_id: str) -> Invitation | None:
        """Return the invitation with this id."""
        return self._one(_record, _GET, invitation=invitation_id)

    def by_token(self, token_hash: bytes) -> Invitation | None:
        """Return the invitation whose token has this hash."""
        return self._one(_record, _BY_TOKEN, token_hash=token_hash)

    def page(self, after: str, limit: int) -> list[Invitation]:
        """Return the invitations after this ID, including those that are no longer valid."""
        return self._many(_record, _PAGE, after=after, limit=limit)

    def spend(self, invitation_id: str, now: int) -> bool:
        """Count one use of an invitation; returns False if it has no uses left."""
        return self._any(_SPEND, invitation=invitation_id, now=now)

    def revoke(self, invitation_id: str, now: int) -> bool:
        """Revoke an invitation; returns False if it was already revoked."""
        return self._any(_REVOKE, invitation=invitation_id, now=now)


class Registrations(DatabaseRows):
    """Registrations in the database."""

    def add(self, registration: Registration) -> None:
        """Store a registration."""
        self._db.execute(_REGISTER, _registration_values(registration))

    def of_agent(self, agent_id: str) -> Registration | None:
        """Return the registration of this agent, if it registered itself."""
        return self._one(_registration, _BY_AGENT, agent=agent_id)

    def end(self, agent_id: str) -> None:
        """Invalidate the registration token."""
        self._db.execute(_END, {"agent": agent_id})
