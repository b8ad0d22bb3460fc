"""Rows of issued access tokens."""

from sqlalchemy import Connection, bindparam, insert, select, update

from server.services.records import Delegation
from server.storage.tables import delegations

_ADD = insert(delegations)
_GET = select(delegations).where(delegations.c.id == bindparam("of"))
_OF_APPROVAL = select(delegations).where(delegations.c.approval_id == bindparam("of"))
_LIVE = (
    update(delegations)
    .where(delegations.c.revoked_at.is_(None), delegations.c.expires_at > bindparam("now"))
    .values(revoked_at=bindparam("now"))
    .returning(delegations.c.id)
)
_REVOKE_AGENT = _LIVE.where(delegations.c.agent_id == bindparam("of"))
_REVOKE_USER = _LIVE.where(delegations.c.user_id == bindparam("of"))


class Delegations:
    """Issued access tokens in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, delegation: Delegation) -> None:
        """Store an issued token; the table allows one per approval."""
        row = {name: getattr(delegation, name) for name in delegations.c.keys()}  # noqa: SIM118
        self._connection.execute(_ADD, row)

    def get(self, jti: str) -> Delegation | None:
        """By the token's id."""
        row = self._connection.execute(_GET, {"of": jti}).mappings().first()
        return None if row is None else Delegation(**row)

    def of_approval(self, approval_id: str) -> Delegation | None:
        """The token that an approval gave."""
        row = self._connection.execute(_OF_APPROVAL, {"of": approval_id}).mappings().first()
        return None if row is None else Delegation(**row)

    def revoke_agent(self, agent_id: str, now: int) -> int:
        """Revoke the agent's live tokens; returns how many."""
        return len(self._connection.execute(_REVOKE_AGENT, {"of": agent_id, "now": now}).all())

    def revoke_user(self, user_id: str, now: int) -> int:
        """Revoke the live tokens that act for this user; returns how many."""
        return len(self._connection.execute(_REVOKE_USER, {"of": user_id, "now": now}).all())
