"""Reads the active items in a backup, and in the database that it replaces."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, Table, or_, select
from sqlalchemy.engine import RowMapping

from server.services.operations.restores import AccessItem, Items
from server.storage.approvers.tables import deputies, group_members, groups
from server.storage.clients.tables import (
    agent_owners,
    agent_secrets,
    agents,
    app_secrets,
    apps,
    registrations,
)
from server.storage.consents.tables import consents
from server.storage.devices.tables import devices, passkeys, sessions
from server.storage.policy.tables import action_types, policies
from server.storage.resources.tables import resource_secrets, resources
from server.storage.standing_grants.tables import standing_grants
from server.storage.users.tables import passwords, users

_IGNORED: Final = frozenset({"last_used_at", "used_at", "last_seen_at", "icon"})
"""Columns whose changes do not affect access."""
_PIN: Final = frozenset(
    {"pin_tries", "pin_calls", "pin_unconfirmed", "pin_for", "pin_for_at", "statements"}
)
_CONFIGURATION: Final = {
    "policy": (policies,),
    "groups": (groups, group_members),
    "resources": (resources, resource_secrets),
    "action types": (action_types,),
}


def items(connection: Connection, now: int) -> Items:
    """Return all active items, by kind and id."""
    return {kind: read(connection, now) for kind, read in _READERS.items()}


def configuration(connection: Connection) -> dict[str, str]:
    """Return a hash of each part of the configuration."""
    return {
        name: _fingerprint(row for table in tables for row in _rows(connection, _all(table)))
        for name, tables in _CONFIGURATION.items()
    }


def _users(connection: Connection, _now: int) -> dict[str, AccessItem]:
    rows = _rows(connection, select(users).where(users.c.state == "enabled"))
    return {row["id"]: AccessItem(row["id"], row["name"], _fingerprint([row])) for row in rows}


def _devices(connection: Connection, _now: int) -> dict[str, AccessItem]:
    """Return the devices, each with its session and its passkey, if any."""
    rows = _rows(
        connection,
        select(devices, users.c.name.label("owner"), sessions.c.revoked_at, passkeys.c.credential)
        .join(users, users.c.id == devices.c.user_id)
        .join(sessions, sessions.c.id == devices.c.session_id)
        .join(passkeys, passkeys.c.device_id == devices.c.id, isouter=True)
        .where(devices.c.state == "active", sessions.c.revoked_at.is_(None)),
    )
    return {
        row["id"]: AccessItem(
            row["id"], f"{row['name']} of {row['owner']}", _fingerprint([row], _PIN)
        )
        for row in rows
    }


def _agents(connection: Connection, _now: int) -> dict[str, AccessItem]:
    rows = _rows(connection, select(agents).where(agents.c.state == "enabled"))
    parts = [_by_owner(connection, table) for table in (agent_owners, agent_secrets, registrations)]
    return {row["id"]: _with_parts(row, parts) for row in rows}


def _apps(connection: Connection, _now: int) -> dict[str, AccessItem]:
    rows = _rows(connection, select(apps).where(apps.c.state == "enabled"))
    parts = [_by_owner(connection, app_secrets, "app_id")]
    return {row["id"]: _with_parts(row, parts) for row in rows}


def _consents(connection: Connection, now: int) -> dict[str, AccessItem]:
    live = select(consents, users.c.name).join(users, users.c.id == consents.c.user_id)
    live = live.where(consents.c.revoked_at.is_(None), consents.c.expires_at > now)
    return {
        row["id"]: AccessItem(
            row["id"],
            f"{row['name']}: {row['client_id']} at {row['resource']}",
            _fingerprint([row]),
        )
        for row in _rows(connection, live)
    }


def _grants(connection: Connection, now: int) -> dict[str, AccessItem]:
    g = standing_grants.c
    live = select(standing_grants, users.c.name).join(users, users.c.id == g.user_id)
    live = live.where(g.ended_at.is_(None), or_(g.expires_at.is_(None), g.expires_at > now))
    return {
        row["id"]: AccessItem(
            row["id"], f"{row['name']}: {row['agent_id']}", _fingerprint([row], {"name"})
        )
        for row in _rows(connection, live)
    }


def _passwords(connection: Connection, _now: int) -> dict[str, AccessItem]:
    statement = select(passwords, users.c.name).join(users, users.c.id == passwords.c.user_id)
    return {
        row["user_id"]: AccessItem(row["user_id"], row["name"], _fingerprint([row]))
        for row in _rows(connection, statement)
    }


def _deputies(connection: Connection, now: int) -> dict[str, AccessItem]:
    live = select(deputies).where(deputies.c.state != "over", deputies.c.to_at > now)
    return {
        row["id"]: AccessItem(
            row["id"], f"{row['deputy_id']} for {row['user_id']}", _fingerprint([row], {"state"})
        )
        for row in _rows(connection, live)
    }


_READERS: Final[dict[str, Callable[[Connection, int], dict[str, AccessItem]]]] = {
    "users": _users,
    "devices": _devices,
    "agents": _agents,
    "apps": _apps,
    "consents": _consents,
    "grants": _grants,
    "passwords": _passwords,
    "deputies": _deputies,
}


def _with_parts(row: RowMapping, parts: Iterable[dict[str, list[RowMapping]]]) -> AccessItem:
    rows = [row, *(more for part in parts for more in part.get(row["id"], ()))]
    return AccessItem(row["id"], row["name"], _fingerprint(rows))


def _by_owner(
    connection: Connection, table: Table, owner: str = "agent_id"
) -> dict[str, list[RowMapping]]:
    rows_by_owner: dict[str, list[RowMapping]] = {}
    for row in _rows(connection, _all(table)):
        rows_by_owner.setdefault(row[owner], []).append(row)
    return rows_by_owner


def _all(table: Table) -> Select[Any]:
    return select(table).order_by(*table.primary_key)


def _rows(connection: Connection, statement: Select[Any]) -> Sequence[RowMapping]:
    return connection.execute(statement).mappings().all()


def _fingerprint(rows: Iterable[RowMapping], without: Iterable[str] = ()) -> str:
    ignored = _IGNORED | set(without)
    digest = hashlib.sha256()
    for row in rows:
        columns = sorted((name, value) for name, value in row.items() if name not in ignored)
        digest.update(repr([(name, _plain(value)) for name, value in columns]).encode())
    return digest.hexdigest()


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview | bytearray) else value
