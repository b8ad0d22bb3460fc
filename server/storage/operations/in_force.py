"""Reads the active items in a backup, and in the database that it replaces."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Table, or_, select
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
    """Return all active items, by kind and ID."""
    return {name: _read(connection, kind, now) for name, kind in _KINDS.items()}


def configuration(connection: Connection) -> dict[str, str]:
    """Return a hash of each part of the configuration."""
    return {
        name: _fingerprint(row for table in tables for row in _rows(connection, _select_all(table)))
        for name, tables in _CONFIGURATION.items()
    }


def _enabled(table: Table) -> Select[Any]:
    return select(table).where(table.c.state == "enabled")


def _active_devices(_now: int) -> Select[Any]:
    """Select the devices, each with its session and its passkey, if any."""
    return (
        select(devices, users.c.name.label("owner"), sessions.c.revoked_at, passkeys.c.credential)
        .join(users, users.c.id == devices.c.user_id)
        .join(sessions, sessions.c.id == devices.c.session_id)
        .join(passkeys, passkeys.c.device_id == devices.c.id, isouter=True)
        .where(devices.c.state == "active", sessions.c.revoked_at.is_(None))
    )


def _with_user(table: Table, *conditions: ColumnElement[bool]) -> Select[Any]:
    """Select rows, each with the name of its user."""
    owned = select(table, users.c.name).join(users, users.c.id == table.c.user_id)
    return owned.where(*conditions)


def _live_grants(now: int) -> Select[Any]:
    g = standing_grants.c
    has_time = or_(g.expires_at.is_(None), g.expires_at > now)
    return _with_user(standing_grants, g.ended_at.is_(None), has_time)


@dataclass(frozen=True, slots=True)
class _Kind:
    """How items of one kind are read."""

    active: Callable[[int], Select[Any]]
    """Returns the SELECT of the items that are active at this time."""
    label: str
    """The format of an item's label, with columns."""
    ignored: frozenset[str] = frozenset()
    """Further columns whose changes do not affect access."""
    parts: tuple[Table, ...] = ()
    """Tables with more rows of an item."""
    key: str = "id"
    part_key: str = "agent_id"


_KINDS: Final[Mapping[str, _Kind]] = {
    "users": _Kind(lambda _now: _enabled(users), "{name}"),
    "devices": _Kind(_active_devices, "{name} of {owner}", _PIN),
    "agents": _Kind(
        lambda _now: _enabled(agents),
        "{name}",
        parts=(agent_owners, agent_secrets, registrations),
    ),
    "apps": _Kind(lambda _now: _enabled(apps), "{name}", parts=(app_secrets,), part_key="app_id"),
    "consents": _Kind(
        lambda now: _with_user(
            consents, consents.c.revoked_at.is_(None), consents.c.expires_at > now
        ),
        "{name}: {client_id} at {resource}",
    ),
    "grants": _Kind(_live_grants, "{name}: {agent_id}", frozenset({"name"})),
    "passwords": _Kind(lambda _now: _with_user(passwords), "{name}", key="user_id"),
    "deputies": _Kind(
        lambda now: select(deputies).where(deputies.c.state != "over", deputies.c.to_at > now),
        "{deputy_id} for {user_id}",
        frozenset({"state"}),
    ),
}


def _read(connection: Connection, kind: _Kind, now: int) -> dict[str, AccessItem]:
    parts = [_by_owner(connection, table, kind.part_key) for table in kind.parts]
    found: dict[str, AccessItem] = {}
    for row in _rows(connection, kind.active(now)):
        item_id = row[kind.key]
        rows = [row, *(more for part in parts for more in part.get(item_id, ()))]
        label = kind.label.format_map(row)
        found[item_id] = AccessItem(item_id, label, _fingerprint(rows, kind.ignored))
    return found


def _by_owner(connection: Connection, table: Table, owner: str) -> dict[str, list[RowMapping]]:
    rows_by_owner: dict[str, list[RowMapping]] = {}
    for row in _rows(connection, _select_all(table)):
        rows_by_owner.setdefault(row[owner], []).append(row)
    return rows_by_owner


def _select_all(table: Table) -> Select[Any]:
    return select(table).order_by(*table.primary_key)


def _rows(connection: Connection, statement: Select[Any]) -> Sequence[RowMapping]:
    return connection.execute(statement).mappings().all()


def _fingerprint(rows: Iterable[RowMapping], without: Iterable[str] = ()) -> str:
    ignored = _IGNORED | set(without)
    digest = hashlib.sha256()
    for row in rows:
        columns = sorted((name, value) for name, value in row.items() if name not in ignored)
        digest.update(repr([(name, _normalize(value)) for name, value in columns]).encode())
    return digest.hexdigest()


def _normalize(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview | bytearray) else value
