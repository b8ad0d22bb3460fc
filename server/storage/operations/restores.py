"""Makes a restored database safe to use: invalidates everything that must not be valid again.

This happens in one transaction, before any other process can use the database.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    Connection,
    Delete,
    LargeBinary,
    Table,
    Update,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)

from server.model.audit import Entry
from server.model.operations import InstallationRow
from server.protocol.approvals.states import State
from server.services.approvals.expiry import expire
from server.services.approvals.withdrawals import withdraw
from server.services.audit import audit
from server.services.operations.restores import REASON, RestoredItem
from server.services.reactions import react
from server.storage.all_tables import metadata
from server.storage.approvals.tables import approvals
from server.storage.approvers.tables import deputies
from server.storage.clients.tables import agents, apps, invitations
from server.storage.consents.tables import consents
from server.storage.devices.tables import browsers, devices, enrollment_codes, sessions
from server.storage.directory import Cache
from server.storage.notifications.tables import feed_events, outbox
from server.storage.operations.tables import restore_holds
from server.storage.sign_in.tables import sign_ins
from server.storage.standing_grants.tables import standing_grants
from server.storage.store import Unit
from server.storage.tables import ONE_TIME, installation
from server.storage.tokens.tables import delegations, families, signing_keys
from server.storage.users.tables import passwords, users

_SEQ_GAP: Final = 1_000_000
"""More feed events than can happen between backup and restore, so that old cursors are invalid."""
_UNSENT: Final = ("waiting", "leased")


@dataclass(frozen=True, slots=True)
class Terminal:
    """A device that stays signed in, with its session, from the replaced database."""

    device: Mapping[str, object]
    session: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RestoreInput:
    """The input of one restore."""

    held_items: Mapping[str, list[RestoredItem]]
    installation: InstallationRow
    """The row as it was when the backup was made."""
    facts: Mapping[str, object]
    """The facts for the audit log: time of the backup, operator, and what was compared."""
    terminals: tuple[Terminal, ...] = ()


def make_safe(
    connection: Connection, restore: RestoreInput, now: int, new_entry_id: Callable[[int], str]
) -> dict[str, int]:
    """Invalidate everything that must not become valid again. Returns the number of each kind.

    1. Cancel open requests.  2. Invalidate handles, tokens, sessions, codes and messages.
    3. Disable the held items.  4. Start a new epoch and add an audit entry.
    """
    tx = Unit(connection, now, Cache(version=-1), new_entry_id, react)
    counts = {"requests": _cancel_requests(tx), **_invalidate_credentials(connection, tx.now)}
    for kind, items in restore.held_items.items():
        counts[kind] = len(items)
        for item in items:
            _disable_item(tx, connection, kind, item)
    for terminal in restore.terminals:
        _keep_terminal(connection, terminal)
    _begin_epoch(connection, restore.installation, tx.now)
    facts = {**restore.facts, **counts}
    tx.audit.add(Entry(audit.Type.INSTALLATION_RESTORED, audit.OPERATOR, facts=facts))
    return counts


def terminals(connection: Connection) -> dict[str, Terminal]:
    """Return the active devices with their sessions, by ID."""
    by_id: dict[str, Terminal] = {}
    for device in connection.execute(select(devices).where(devices.c.state == "active")).mappings():
        is_session = sessions.c.id == device["session_id"]
        session = connection.execute(select(sessions).where(is_session)).mappings().first()
        if session is not None:
            by_id[device["id"]] = Terminal(dict(device), dict(session))
    return by_id


def _cancel_requests(tx: Unit) -> int:
    canceled = 0
    for state in (State.PENDING, State.APPROVED):
        while approvals := tx.approvals.search(state=state, agent_id=None, user_id=None, limit=500):
            for approval in approvals:
                if withdraw(tx, [approval], reason=REASON, actor=audit.OPERATOR):
                    canceled += 1
                else:
                    expire(tx, approval)
    return canceled


def _invalidate_credentials(connection: Connection, now: int) -> dict[str, int]:
    """Invalidate handles, tokens, sessions, codes, keys, and messages that may have been sent."""
    connection.execute(
        update(approvals).values(
            auth_req_hash=cast(approvals.c.id, LargeBinary),  # matches no handle
            idempotency_hash=None,
            answer=None,
            answer_key=None,
            answer_until=None,
            notification_token=None,
        )
    )
    for table in (candidate for candidate in metadata.sorted_tables if candidate.info == ONE_TIME):
        connection.execute(delete(table))
    connection.execute(
        update(enrollment_codes).where(enrollment_codes.c.expires_at > now).values(expires_at=now)
    )
    connection.execute(
        update(invitations).where(invitations.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    _end_terminal_tokens(connection, now)
    _empty_feed(connection, now)
    ended = {
        name: _set_end(connection, table, column, now)
        for name, (table, column) in _END_COLUMNS.items()
    }
    unsent = delete(outbox).where(outbox.c.state.in_(_UNSENT))
    ended["messages"] = connection.execute(unsent).rowcount
    ended["signing_keys"] = connection.execute(delete(signing_keys)).rowcount
    return ended


_END_COLUMNS: Final[Mapping[str, tuple[Table, str]]] = {
    "tokens": (delegations, "revoked_at"),
    "sign_ins": (sign_ins, "ended_at"),
    "browser_sessions": (browsers, "ended_at"),
    "refresh_families": (families, "ended_at"),
}


def _set_end(connection: Connection, table: Table, column: str, now: int) -> int:
    """Set the end time of all rows that are still live; return their number."""
    is_live = table.c[column].is_(None), table.c.expires_at > now
    return connection.execute(update(table).where(*is_live).values({column: now})).rowcount


def _end_terminal_tokens(connection: Connection, now: int) -> None:
    """Invalidate terminals' refresh tokens. A device can sign in again with its session key.

    The token in the backup becomes the previous token, so that its use is detected and refused.
    """
    s = sessions.c
    connection.execute(
        update(sessions).where(s.device_id.is_(None), s.revoked_at.is_(None)).values(revoked_at=now)
    )
    unusable = cast(literal("restored ") + s.id, LargeBinary)
    connection.execute(
        update(sessions)
        .where(s.jkt != "")
        .values(refresh_hash=unusable, previous_hash=s.refresh_hash, resumes=True)
    )


def _empty_feed(connection: Connection, now: int) -> None:
    """Delete the feed and continue with higher numbers than before, so that clients reload."""
    newest = connection.execute(select(func.coalesce(func.max(feed_events.c.seq), 0))).scalar_one()
    connection.execute(delete(feed_events))
    row = {"seq": newest + _SEQ_GAP, "user_id": "", "event": REASON, "at": now}
    connection.execute(insert(feed_events).values(row))


@dataclass(frozen=True, slots=True)
class _Disabling:
    """How a restore disables items of one kind."""

    noun: str
    entry: audit.Type
    table: Table
    values: Mapping[str, object] | None
    """The changed columns; None if the row is deleted."""
    time_column: str = ""
    """The column with the time of the change."""
    is_released_later: bool = False

    def statement(self, item_id: str, now: int) -> Update | Delete:
        """Return the statement that disables an item."""
        is_item = next(iter(self.table.primary_key)) == item_id
        if self.values is None:
            return delete(self.table).where(is_item)
        time = {self.time_column: now} if self.time_column else {}
        return update(self.table).where(is_item).values({**self.values, **time})


_DISABLED: Final = {"state": "disabled"}
_DISABLING: Final[Mapping[str, _Disabling]] = {
    "users": _Disabling(
        "user", audit.Type.USER_DISABLED, users, _DISABLED, "disabled_at", is_released_later=True
    ),
    "devices": _Disabling(
        "device", audit.Type.DEVICE_REVOKED, devices, {"state": "revoked"}, is_released_later=True
    ),
    "agents": _Disabling(
        "agent", audit.Type.AGENT_DISABLED, agents, _DISABLED, is_released_later=True
    ),
    "apps": _Disabling("app", audit.Type.APP_UPDATED, apps, _DISABLED, is_released_later=True),
    "consents": _Disabling("consent", audit.Type.CONSENT_REVOKED, consents, {}, "revoked_at"),
    "grants": _Disabling(
        "standing_grant",
        audit.Type.STANDING_GRANT_ENDED,
        standing_grants,
        {"ended_because": REASON},
        "ended_at",
    ),
    "passwords": _Disabling("user", audit.Type.PASSWORD_REMOVED, passwords, None),
    "deputies": _Disabling(
        "deputy", audit.Type.DEPUTY_ENDED, deputies, {"state": "over"}, "revoked_at"
    ),
}


def _disable_item(tx: Unit, connection: Connection, kind: str, restored: RestoredItem) -> None:
    """Disable an item, with its audit entry."""
    item, disabling = restored.item, _DISABLING[kind]
    connection.execute(disabling.statement(item.id, tx.now))
    if kind == "devices" and restored.has_ended:
        is_device_session = sessions.c.device_id == item.id
        connection.execute(update(sessions).where(is_device_session).values(revoked_at=tx.now))
    if disabling.is_released_later and not restored.has_ended:
        row = {"kind": kind, "id": item.id, "at": tx.now}
        connection.execute(insert(restore_holds).values(row))
    agent_id = item.id if kind == "agents" else None
    subject = item.id if disabling.noun == "user" else None
    facts = {disabling.noun: item.id}
    tx.audit.add(
        Entry(disabling.entry, audit.OPERATOR, agent_id, subject, cause=REASON, facts=facts)
    )


def _keep_terminal(connection: Connection, terminal: Terminal) -> None:
    """Keep the current state of an unchanged device; only its newest refresh token stays valid."""
    device, session = terminal.device, terminal.session
    values = {**session, "previous_hash": None, "resumes": False}
    connection.execute(update(devices).where(devices.c.id == device["id"]).values(dict(device)))
    connection.execute(update(sessions).where(sessions.c.id == session["id"]).values(values))


def _begin_epoch(connection: Connection, before: InstallationRow, now: int) -> None:
    """Replace the installation's row, which makes the database usable. A backup has no row."""
    current = connection.execute(select(installation)).mappings().first()
    version = 0 if current is None else current["admin_version"]
    created_at = before.created_at if current is None else current["created_at"]
    connection.execute(delete(installation))
    row = {
        "id": 1,
        "admin_version": max(version, before.admin_version) + 1,
        "created_at": created_at,
        "epoch": secrets.token_hex(16),
        "restored_at": now,
    }
    connection.execute(insert(installation).values(row))
