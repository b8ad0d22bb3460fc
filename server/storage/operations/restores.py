"""Making a restored database safe to use: everything that must not come back is ended.

All of it happens in one transaction, before anybody else may use the database.
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
from server.storage.approvers.deputy_tables import deputies
from server.storage.clients.registration_tables import invitations
from server.storage.devices.passkey_tables import browsers
from server.storage.directory import Cache
from server.storage.operations.installation_tables import restore_holds
from server.storage.rows import Rows
from server.storage.sign_in.sign_in_tables import device_codes
from server.storage.standing_grants.standing_grant_tables import standing_grants
from server.storage.tables import (
    agents,
    approvals,
    consents,
    delegations,
    devices,
    enrolment_codes,
    feed_events,
    installation,
    outbox,
    sessions,
    signing_keys,
    users,
)
from server.storage.users.user_tables import (
    apps,
    codes,
    families,
    flows,
    passwords,
    pushed_requests,
    sign_ins,
)

_A_LEAP: Final = 1_000_000
"""More feed events than can happen between backup and restore, so no old cursor is valid."""
_UNSENT: Final = ("waiting", "leased")
_WITHOUT_TIME: Final = (codes, device_codes, flows, pushed_requests)
"""Short-lived rows that could only be used a second time."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """A kept device's session and counts, as they stood in the database that was replaced."""

    device: Mapping[str, object]
    session: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Restoring:
    """What one restore does."""

    held: Mapping[str, list[RestoredItem]]
    installation: InstallationRow
    """As it was in the backup."""
    facts: Mapping[str, object]
    """For the audit log: the backup's moment, who restores, what was compared."""
    terminals: tuple[Terminal, ...] = ()


def make_safe(
    connection: Connection, restoring: Restoring, now: int, new_entry_id: Callable[[int], str]
) -> dict[str, int]:
    """End everything that a backup must not bring back; returns how many of each.

    1. Open requests are cancelled.  2. Handles, tokens, sessions, codes and messages end.
    3. What is held is turned off.  4. A new epoch begins, and the audit log says so.
    """
    tx = Rows(connection, now, Cache(version=-1), new_entry_id, react)
    counts = {"requests": _cancel_requests(tx), **_end_passing(connection, tx.now)}
    for kind, items in restoring.held.items():
        counts[kind] = len(items)
        for one in items:
            _hold(tx, connection, kind, one)
    for terminal in restoring.terminals:
        _continue(connection, terminal)
    _begin_epoch(connection, restoring.installation, tx.now)
    facts = {**restoring.facts, **counts}
    audit.record(tx, Entry(audit.Type.INSTALLATION_RESTORED, audit.OPERATOR, facts=facts))
    return counts


def terminals(connection: Connection) -> dict[str, Terminal]:
    """The devices that are active, with their sessions, by id."""
    found: dict[str, Terminal] = {}
    for device in connection.execute(select(devices).where(devices.c.state == "active")).mappings():
        mine = sessions.c.id == device["session_id"]
        session = connection.execute(select(sessions).where(mine)).mappings().first()
        if session is not None:
            found[device["id"]] = Terminal(dict(device), dict(session))
    return found


def _cancel_requests(tx: Rows) -> int:
    cancelled = 0
    for state in (State.PENDING, State.APPROVED):
        while found := tx.approvals.search(state=state, agent_id=None, user_id=None, limit=500):
            for one in found:
                if withdraw(tx, [one], reason=REASON, actor=audit.OPERATOR):
                    cancelled += 1
                else:
                    expire(tx, one)
    return cancelled


def _end_passing(connection: Connection, now: int) -> dict[str, int]:
    """Handles, tokens, sessions, codes, keys and messages; what was sent is not sent again."""
    connection.execute(
        update(approvals).values(
            auth_req_hash=cast(approvals.c.id, LargeBinary),  # no handle has this hash
            idempotency_hash=None,
            answer=None,
            answer_key=None,
            answer_until=None,
            notification_token=None,
        )
    )
    for table in _WITHOUT_TIME:
        connection.execute(delete(table))
    connection.execute(
        update(enrolment_codes).where(enrolment_codes.c.expires_at > now).values(expires_at=now)
    )
    connection.execute(
        update(invitations).where(invitations.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    _await_terminals(connection, now)
    _empty_feed(connection, now)
    ended = {name: _end(connection, table, column, now) for name, (table, column) in _ENDED.items()}
    unsent = delete(outbox).where(outbox.c.state.in_(_UNSENT)).returning(outbox.c.id)
    ended["messages"] = len(connection.execute(unsent).all())
    ended["signing_keys"] = len(
        connection.execute(delete(signing_keys).returning(signing_keys.c.kid)).all()
    )
    return ended


_ENDED: Final[Mapping[str, tuple[Table, str]]] = {
    "tokens": (delegations, "revoked_at"),
    "sign_ins": (sign_ins, "ended_at"),
    "browser_sessions": (browsers, "ended_at"),
    "refresh_families": (families, "ended_at"),
}


def _end(connection: Connection, table: Table, column: str, now: int) -> int:
    """End every row that has not ended yet."""
    first = next(iter(table.primary_key))
    mine = table.c[column].is_(None), table.c.expires_at > now
    statement = update(table).where(*mine).values({column: now}).returning(first)
    return len(connection.execute(statement).all())


def _await_terminals(connection: Connection, now: int) -> None:
    """A terminal's tokens are over; one that is a device may sign in again by its session key.

    The token of the backup becomes the one before, so that it is known and refused.
    """
    s = sessions.c
    connection.execute(
        update(sessions).where(s.device_id.is_(None), s.revoked_at.is_(None)).values(revoked_at=now)
    )
    marked = cast(literal("restored ") + s.id, LargeBinary)
    connection.execute(
        update(sessions)
        .where(s.jkt != "")
        .values(refresh_hash=marked, previous_hash=s.refresh_hash, resumes=True)
    )


def _empty_feed(connection: Connection, now: int) -> None:
    """Make every client load everything again: sequence numbers continue above all earlier ones."""
    newest = connection.execute(select(func.coalesce(func.max(feed_events.c.seq), 0))).scalar_one()
    connection.execute(delete(feed_events))
    row = {"seq": newest + _A_LEAP, "user_id": "", "event": REASON, "at": now}
    connection.execute(insert(feed_events).values(row))


def _hold(tx: Rows, connection: Connection, kind: str, one: RestoredItem) -> None:
    item = one.item
    entry, end = _HOLDS[kind]
    connection.execute(end(item.id, tx.now))
    if kind == "devices" and one.over:
        mine = sessions.c.device_id == item.id
        connection.execute(update(sessions).where(mine).values(revoked_at=tx.now))
    if kind in _RELEASED_LATER and not one.over:
        row = {"kind": kind, "id": item.id, "at": tx.now}
        connection.execute(insert(restore_holds).values(row))
    agent_id = item.id if kind == "agents" else None
    subject = item.id if kind in {"users", "passwords"} else None
    facts = {_SINGULAR[kind]: item.id}
    audit.record(tx, Entry(entry, audit.OPERATOR, agent_id, subject, cause=REASON, facts=facts))


def _state(table: Table, state: str) -> Callable[[str, int], Update | Delete]:
    return lambda of, _now: update(table).where(table.c.id == of).values(state=state)


_SINGULAR: Final = {
    "users": "user",
    "devices": "device",
    "agents": "agent",
    "apps": "app",
    "consents": "consent",
    "grants": "standing_grant",
    "passwords": "user",
    "deputies": "deputy",
}
_RELEASED_LATER: Final = frozenset({"users", "devices", "agents", "apps"})
_HOLDS: Final[Mapping[str, tuple[audit.Type, Callable[[str, int], Update | Delete]]]] = {
    "users": (
        audit.Type.USER_DISABLED,
        lambda of, now: (
            update(users).where(users.c.id == of).values(state="disabled", disabled_at=now)
        ),
    ),
    "devices": (audit.Type.DEVICE_REVOKED, _state(devices, "revoked")),
    "agents": (audit.Type.AGENT_DISABLED, _state(agents, "disabled")),
    "apps": (audit.Type.APP_UPDATED, _state(apps, "disabled")),
    "consents": (
        audit.Type.CONSENT_REVOKED,
        lambda of, now: update(consents).where(consents.c.id == of).values(revoked_at=now),
    ),
    "grants": (
        audit.Type.STANDING_GRANT_ENDED,
        lambda of, now: (
            update(standing_grants)
            .where(standing_grants.c.id == of)
            .values(ended_at=now, ended_because=REASON)
        ),
    ),
    "passwords": (
        audit.Type.PASSWORD_REMOVED,
        lambda of, _now: delete(passwords).where(passwords.c.user_id == of),
    ),
    "deputies": (
        audit.Type.DEPUTY_ENDED,
        lambda of, now: (
            update(deputies).where(deputies.c.id == of).values(state="over", revoked_at=now)
        ),
    ),
}
"""The audit entry for each item that is held, and the statement that ends it."""


def _continue(connection: Connection, terminal: Terminal) -> None:
    """Keep a device that did not change as it is now, with only its newest token."""
    device, session = terminal.device, terminal.session
    whole = {**session, "previous_hash": None, "resumes": False}
    connection.execute(update(devices).where(devices.c.id == device["id"]).values(dict(device)))
    connection.execute(update(sessions).where(sessions.c.id == session["id"]).values(whole))


def _begin_epoch(connection: Connection, before: InstallationRow, now: int) -> None:
    """Add the row that a backup lacks, which makes the database usable."""
    there = connection.execute(select(installation)).mappings().first()
    version = 0 if there is None else there["admin_version"]
    created_at = before.created_at if there is None else there["created_at"]
    connection.execute(delete(installation))
    row = {
        "id": 1,
        "admin_version": max(version, before.admin_version) + 1,
        "created_at": created_at,
        "epoch": secrets.token_hex(16),
        "restored_at": now,
    }
    connection.execute(insert(installation).values(row))
