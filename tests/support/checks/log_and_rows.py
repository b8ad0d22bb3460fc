"""Reads the audit log and the rows of a live server."""

from typing import Any

from sqlalchemy import Engine, MetaData, Select, Table, create_engine, delete, select

from server.audit_log import bundles
from server.audit_log.verify import Verified, verify
from server.model.approvals import Approval
from server.outward import VAPID
from server.protocol.approvals.states import State
from server.storage.operations.tables import installation_keys
from tests.support.servers.server import LiveServer

_IGNORED_TABLES = frozenset({"audit_checkpoints", "audit_nodes", "counters", "flows", "replays"})
_MESSAGE_COLUMNS = ("id", "channel", "target", "body")
Rows = dict[str, list[dict[str, Any]]]
_SCHEMAS: dict[str, MetaData] = {}
"""The tables by the name of the database system."""


def everything(server: LiveServer) -> Rows:
    """All rows of the server's database, except for tables that change only with time.

    Messages have only their contents, and not whether they were sent.
    """
    engine = create_engine(server.services.settings.sqlalchemy_url)
    try:
        with engine.connect() as connection:
            return {
                table.name: [dict(row) for row in connection.execute(_select(table)).mappings()]
                for table in _schema_of(engine).sorted_tables
                if table.name not in _IGNORED_TABLES
            }
    finally:
        engine.dispose()


def _schema_of(engine: Engine) -> MetaData:
    """Return the tables, which are read once: all databases of one kind have the same tables."""
    if (name := engine.dialect.name) not in _SCHEMAS:
        schema = MetaData()
        schema.reflect(engine)
        _SCHEMAS[name] = schema
    return _SCHEMAS[name]


def _select(table: Table) -> Select[Any]:
    return (
        select(*(table.c[name] for name in _MESSAGE_COLUMNS))
        if table.name == "outbox"
        else select(table)
    )


def stored_approval(server: LiveServer, approval_id: str) -> Approval:
    """The stored approval."""
    with server.services.store.read() as view:
        approval = view.approvals.get(approval_id)
    assert approval is not None
    return approval


def state(server: LiveServer, approval_id: str) -> tuple[State, str | None]:
    """The state of an approval, and its reason."""
    row = stored_approval(server, approval_id)
    return row.state, row.reason


def waiting(server: LiveServer, user: str) -> list[Approval]:
    """The pending requests for a user, whether or not they have a device."""
    with server.services.store.read() as view:
        account = view.directory.find_user(user)
        assert account is not None
        return view.approvals.waiting(account.id, view.now, 100, None)


def subscriptions(server: LiveServer, user: str) -> frozenset[str]:
    """The ids of a user's push subscriptions."""
    with server.services.store.read() as view:
        account = view.directory.find_user(user)
        assert account is not None
        return frozenset(subscription.id for subscription in view.pushes.of_user(account.id))


def forget_push_key(server: LiveServer) -> None:
    """Remove the VAPID key of a stopped server, so that its next start creates a new one."""
    drop = delete(installation_keys).where(installation_keys.c.name == VAPID)
    with server.services.store.write() as tx:
        tx._connection.execute(drop)


def last_delivery_at(server: LiveServer, user: str) -> int:
    """When a push service last accepted a message for a user; 0 if it never did."""
    with server.services.store.read() as view:
        account = view.directory.find_user(user)
        assert account is not None
        return max((row.delivered_at or 0 for row in view.pushes.of_user(account.id)), default=0)


def story(server: LiveServer, approval_id: str) -> list[str]:
    """The types of the audit entries about an approval, in order."""
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
    """Verify the whole audit log of a server as an auditor does. Raises `Broken`."""
    log = server.services.audit_log
    server.services.store.sequence()
    log.sign()
    return verify(bundles.write(log.origin, log.lines()), [log.key])
