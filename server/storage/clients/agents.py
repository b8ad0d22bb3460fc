"""Rows of agents, their owners and their secrets."""

from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, exists, insert, or_, select, update

from server.model.clients import Agent
from server.services.clients.agent_members import AGENT_MEMBERS
from server.services.members import ANY, Having, filterable_members
from server.storage import codec
from server.storage.clients.names import Names
from server.storage.clients.secrets import ClientRows, SecretTable
from server.storage.clients.tables import agent_keys, agent_owners, agent_secrets, agents
from server.storage.users.tables import users

_USE_INTERVAL_MS = 60_000
_NO_KEYS = codec.dump([])
_COLUMNS = ("id", "auth_before", "auth_before_until", "state", "created_at", "named_at")
"""The columns that the server sets, not callers."""

_ALL = select(agents).order_by(agents.c.name_key)
_PAGE = _ALL.where(agents.c.name_key > bindparam("after")).limit(bindparam("limit"))
_IS_OWNED = agents.c.id.in_(
    select(agent_owners.c.agent_id).where(agent_owners.c.user_id == bindparam("owner"))
)
_PAGE_OF_OWNER = _PAGE.where(_IS_OWNED)
_OWNED = _ALL.where(_IS_OWNED)
_ORPHANS = _ALL.where(
    agents.c.state == "enabled",
    ~exists().where(
        agent_owners.c.agent_id == agents.c.id,
        users.c.id == agent_owners.c.user_id,
        users.c.state == "enabled",
    ),
)
_BY_ID = select(agents).where(agents.c.id == bindparam("id"))
_BY_NAME = select(agents).where(agents.c.name_key == bindparam("key"))
_DELETE = delete(agents).where(agents.c.id == bindparam("agent"))
"""Also deletes the agent's owners, secrets, keys and former names, which refer to it."""
_OWNERS = (
    select(agent_owners.c.user_id)
    .where(agent_owners.c.agent_id == bindparam("id"))
    .order_by(agent_owners.c.since, agent_owners.c.user_id)
)
_KEYS = select(agent_keys.c.kid, agent_keys.c.last_used_at).where(
    agent_keys.c.agent_id == bindparam("id"), agent_keys.c.last_used_at.is_not(None)
)
_DROP_PARTS = tuple(
    delete(table).where(table.c.agent_id == bindparam("agent"))
    for table in (agent_owners, agent_keys)
)
_ADD_OWNER = insert(agent_owners)
_ADD_KEY = insert(agent_keys)
_MARK_KEY_USED = (
    update(agent_keys)
    .where(
        agent_keys.c.agent_id == bindparam("agent"),
        agent_keys.c.kid == bindparam("key"),
        or_(agent_keys.c.last_used_at.is_(None), agent_keys.c.last_used_at < bindparam("before")),
    )
    .values(last_used_at=bindparam("now"))
)


class Agents(ClientRows):
    """Agents in the database."""

    secrets = SecretTable(agent_secrets, "agent_id")

    def add(self, agent: Agent, now: int) -> None:
        """Store a new agent; raises `Taken` if a client has this name or one that looks like it."""
        self._insert(agents, "client", _values(agent))
        self._add_parts(agent, now)

    def replace(self, agent: Agent, now: int) -> None:
        """Store all members, owners, secrets and keys; raises `Taken` if the name is in use."""
        self._replace(agents, "client", _values(agent))
        for statement in _DROP_PARTS:
            self._db.execute(statement, {"agent": agent.id})
        self._add_parts(agent, now)

    def delete(self, agent_id: str) -> None:
        """Remove the agent with its names, owners, secrets and keys."""
        Names(self._db).drop(agent_id)
        self._db.execute(_DELETE, {"agent": agent_id})

    def all(self, having: Having = ANY) -> list[Agent]:
        """Return every agent with these values, by name."""
        return self._many(self._record, _filter_by(_ALL, having), **having)

    def page(
        self, owner: str | None, after: str, limit: int, having: Having = ANY, search: str = ""
    ) -> list[Agent]:
        """Return the next page of agents with these values, for one owner or for all.

        Their names contain `search`, or one of their filterable members has this value.
        """
        statement = _filter_by(_PAGE if owner is None else _PAGE_OF_OWNER, having)
        values_found = (agents.c[m.name] == search for m in filterable_members(AGENT_MEMBERS))
        statement = statement.where(or_(codec.contains(agents.c.name_key, search), *values_found))
        values = {"after": codec.key(after), "limit": limit, **having}
        return self._many(self._record, statement, **values, **({"owner": owner} if owner else {}))

    def owned_by(self, user_id: str) -> list[Agent]:
        """Return the agents of this owner, by name."""
        return self._many(self._record, _OWNED, owner=user_id)

    def orphans(self) -> list[Agent]:
        """Return the enabled agents without an enabled owner, by name."""
        return self._many(self._record, _ORPHANS)

    def get(self, agent_id: str) -> Agent | None:
        """Return the agent with this client_id."""
        return self._one(self._record, _BY_ID, id=agent_id)

    def by_name(self, name: str) -> Agent | None:
        """Return the agent with this name, ignoring case."""
        return self._one(self._record, _BY_NAME, key=codec.key(name))

    def mark_key_used(self, agent_id: str, kid: str, now: int) -> None:
        """Record the use of a key, at most once a minute."""
        values = {"agent": agent_id, "key": kid, "now": now, "before": now - _USE_INTERVAL_MS}
        self._db.execute(_MARK_KEY_USED, values)

    def _add_parts(self, agent: Agent, now: int) -> None:
        for index, owner in enumerate(agent.owners):
            row = {"agent_id": agent.id, "user_id": owner, "since": now + index}
            self._db.execute(_ADD_OWNER, row)
        self.secrets.put(self._db, agent.id, agent.secrets)
        for kid in (key["kid"] for key in agent.jwks):
            used_at = agent.key_uses.get(kid)
            row = {"agent_id": agent.id, "kid": kid, "last_used_at": used_at}
            self._db.execute(_ADD_KEY, row)

    def _record(self, row: Row[Any]) -> Agent:
        values = {"id": row.id}
        owners = self._db.execute(_OWNERS, values).scalars().all()
        uses = self._db.execute(_KEYS, values).all() if row.jwks != _NO_KEYS else ()
        return Agent(
            owners=tuple(owners),
            secrets=self.secrets.secrets_of(self._db, row.id),
            key_uses={row[0]: row[1] for row in uses},
            **{name: getattr(row, name) for name in _COLUMNS},
            **codec.load_members(AGENT_MEMBERS, row),
        )


def _filter_by(statement: Select[Any], having: Having) -> Select[Any]:
    """Add these column values to the conditions of a statement."""
    return statement.where(*(agents.c[name] == bindparam(name) for name in having))


def _values(agent: Agent) -> dict[str, object]:
    return {
        "name_key": codec.key(agent.name),
        **{name: getattr(agent, name) for name in _COLUMNS},
        **codec.member_values(AGENT_MEMBERS, agent),
    }
