"""The server on PostgreSQL with the role of docs/run.md, which cannot change the audit log."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import make_url

from server.model.store import Busy
from tests.support.builders.databases import upgraded_database
from tests.support.checks.log_and_rows import verify_log
from tests.support.checks.waiting import until
from tests.support.clients.agent import new_agent
from tests.support.clients.terminal import new_person
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.server import LiveServer, live_server

_PAGE = Path(__file__).parents[2] / "docs" / "run.md"
_SQL = re.compile(r"```sql\n(.+?)```", re.DOTALL)
_TABLES = ("audit_entries", "audit_checkpoints", "audit_nodes")
_CHANGES = [
    *(f"TRUNCATE {table} CASCADE" for table in _TABLES),
    "DELETE FROM audit_entries",
    "DELETE FROM audit_checkpoints",
    "DELETE FROM audit_nodes",
    "UPDATE audit_entries SET actor = 'operator'",
    "UPDATE audit_entries SET seq = seq + 1",
    "UPDATE audit_checkpoints SET note = ''",
    "UPDATE audit_nodes SET number = number + 1",
]
_ONLY_OWNER = [
    "ALTER TABLE audit_entries DISABLE TRIGGER USER",
    "DROP TABLE audit_nodes",
    "SET session_replication_role = replica",
    "CREATE TABLE other (id integer)",
    "UPDATE alembic_version SET version_num = '0001'",
]


@pytest.fixture
def owner(postgres_server: PostgresServer) -> Iterator[psycopg.Connection]:
    """A connection of the owner of a database on which the role has its rights."""
    url = upgraded_database(postgres_server)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        (sql,) = _SQL.findall(_PAGE.read_text("utf-8"))
        connection.execute(sql)
        yield connection
        connection.execute("DROP OWNED BY sayso_app; DROP ROLE sayso_app")


@pytest.fixture
def url(owner: psycopg.Connection, postgres_server: PostgresServer) -> str:
    """The URL with which the role connects to the database."""
    ours = make_url(postgres_server.url_of(owner.info.dbname))
    role = ours.set(username="sayso_app", password="change-me")
    return role.render_as_string(hide_password=False)


@pytest.fixture
def server(url: str, owner: psycopg.Connection, tmp_path: Path) -> Iterator[LiveServer]:
    """A server that connects with the role."""
    with live_server(tmp_path, forked=True, database_url=url) as running:
        yield running
    owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'sayso_app'"
    )


def test_the_server_works_and_only_adds_to_the_log(
    server: LiveServer, url: str, owner: psycopg.Connection
) -> None:
    """Requests are decided, the log is signed, and neither the role nor the owner changes it.

    With one more right the role can trim what entries say, and can still change nothing else.
    """
    agent, person = new_agent(server), new_person(server)
    approved = agent.ask_payment(person.user).json()["auth_req_id"]
    person.approve(person.only_request())
    assert agent.poll(approved).status_code == 200
    denied = agent.request_approval(person.user)
    person.deny(person.only_request())
    assert agent.poll(denied).json()["error"] == "access_denied"
    agent.request_approval(person.user, requested_expiry="60")
    server.clock.forward(61_000)
    until(lambda: person.waiting() == ())
    until(lambda: server.services.audit_log.round() == 0)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as role:
        _refuse(role, *_CHANGES, *_ONLY_OWNER)
    for change in _CHANGES:
        with pytest.raises(errors.RaiseException, match="The audit log is never changed"):
            owner.execute(change)
    assert "Traceback" not in server.log
    verify_log(server)
    with pytest.raises(Busy, match="too few privileges"):
        _trim(server)
    (grant,) = re.findall(r"`(GRANT UPDATE ON .+?;)`", _PAGE.read_text("utf-8"))
    owner.execute(grant)
    _trim(server)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as role:
        _refuse(role, *_CHANGES, *_ONLY_OWNER)
    agent.http.close()
    person.client.close()


def _refuse(role: psycopg.Connection, *changes: str) -> None:
    for change in changes:
        with pytest.raises((errors.InsufficientPrivilege, errors.RaiseException)):
            role.execute(change)


def _trim(server: LiveServer) -> None:
    with server.services.store.write() as tx:
        tx.audit.trim(0, 1, ())
