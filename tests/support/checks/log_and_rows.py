"""What the log and the rows of a live server say."""

from typing import Any

from sqlalchemy import MetaData, Select, Table, create_engine, delete, select

from server.audit_log import bundles
from server.audit_log.verify import Verified, verify
from server.model.approvals import Approval
from server.outward import VAPID
from server.protocol.approvals.states import State
from server.storage.operations.tables import installation_keys
from tests.support.servers.server import LiveServer

_PRUNED = frozenset({"audit_checkpoints", "audit_nodes", "counters", "flows", "replays"})
_SENT = ("id", "channel", "target", "body")
Rows = dict[str, list[dict[str, Any]]]


def everything(server: LiveServer) -> Rows:
    """Every row of every table of its database, without what comes and goes with the clock alone.

    Of a message what it says counts, and not whether it has left yet.
    """
    engine, known = create_engine(server.services.settings.sqlalchemy_url), MetaData()
    try:
        known.reflect(engine)
        with engine.connect() as connection:
            return {
                table.name: [dict(row) for row in connection.execute(_kept(table)).mappings()]
                for table in known.sorted_tables
                if table.name not in _PRUNED
            }
    finally:
        engine.dispose()


def _kept(table: Table) -> Select[Any]:
    return select(*(table.c[name] for name in _SENT)) if table.name == "outbox" else select(table)


def stored(server: LiveServer, approval_id: str) -> Approval:
    """The approval as its row has it."""
    with server.services.store.read() as view:
        found = view.approvals.get(approval_id)
    assert found is not None
    return found


def state(server: LiveServer, approval_id: str) -> tuple[State, str | None]:
    """Where it stands, and why."""
    row = stored(server, approval_id)
    return row.state, row.reason


def waiting(server: LiveServer, user: str) -> list[Approval]:
    """What waits for somebody, whether or not they have a device."""
    with server.services.store.read() as view:
        found = view.directory.user_called(user)
        assert found is not None
        return view.approvals.waiting(found.id, view.now, 100, None)


def subscriptions(server: LiveServer, user: str) -> frozenset[str]:
    """The ids of the browsers in which somebody is called."""
    with server.services.store.read() as view:
        found = view.directory.user_called(user)
        assert found is not None
        return frozenset(one.id for one in view.pushes.of_user(found.id))


def forget_push_key(server: LiveServer) -> None:
    """Remove the VAPID key of a server that does not run, so that its next start makes another."""
    drop = delete(installation_keys).where(installation_keys.c.name == VAPID)
    with server.services.store.write() as tx:
        tx._connection.execute(drop)


def reached_at(server: LiveServer, user: str) -> int:
    """The time when a push service last took a message for a user; 0 before the first."""
    with server.services.store.read() as view:
        found = view.directory.user_called(user)
        assert found is not None
        return max((one.delivered_at or 0 for one in view.pushes.of_user(found.id)), default=0)


def story(server: LiveServer, approval_id: str) -> list[str]:
    """The types of the log's entries about an approval, in order."""
    with server.services.store.read() as view:
        return [entry.type for entry in view.audit.of_approval(approval_id)]


def entries(server: LiveServer, kind: str, **members: str) -> list[dict[str, Any]]:
    """The newest entries of one type that have these members."""
    with server.services.store.read() as view:
        bodies = [entry.members for entry in view.audit.tail(1_000)]
    return [
        body
        for body in bodies
        if body["type"] == kind and all(body.get(name) == value for name, value in members.items())
    ]


def verify_log(server: LiveServer) -> Verified:
    """Verify the whole audit log of a server, as an auditor does. Raises `Broken`."""
    log = server.services.audit_log
    server.services.store.sequence()
    log.sign()
    return verify(bundles.write(log.origin, log.lines()), [log.key])
