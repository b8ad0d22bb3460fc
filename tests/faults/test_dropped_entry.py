"""The database's owner deletes an entry before any checkpoint covers it."""

from pathlib import Path

import psycopg

from approver_tui.client.audit.log_witness import LogWitness
from approver_tui.client.sign_in.profile import Home
from tests.support.builders.clock import MINUTE
from tests.support.builders.databases import upgraded_database
from tests.support.checks.log_and_rows import verify_log
from tests.support.checks.waiting import until
from tests.support.clients.agent import new_agent
from tests.support.clients.terminal import new_person
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.server import live_server

_SEQUENCER = "SELECT pg_advisory_lock(7243001)"
_DELETE = """
ALTER TABLE audit_entries DISABLE TRIGGER USER;
DELETE FROM audit_entries WHERE seq IS NULL AND type = 'approval.denied';
ALTER TABLE audit_entries ENABLE TRIGGER USER
"""


def test_the_promise_in_the_response_reveals_a_deleted_entry(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """The log still verifies and only grows, so only the promise reveals the deletion."""
    url = upgraded_database(postgres_server)
    with (
        live_server(tmp_path, forked=True, database_url=url) as server,
        psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as owner,
    ):
        agent, person = new_agent(server), new_person(server)
        witness = LogWitness(person.client.session, Home.in_folder(person.home))
        until(lambda: witness.check() == "" and witness.size)
        agent.request_approval(person.user)
        owner.execute(_SEQUENCER)  # no entry gets a sequence number now
        person.deny(person.only_request())
        before = _count(owner)
        owner.execute(_DELETE)
        assert _count(owner) == before - 1
        owner.execute("SELECT pg_advisory_unlock_all()")
        assert witness.check() == ""
        server.clock.forward(MINUTE)
        assert until(witness.check).endswith("although the server promised it.")
        verify_log(server)
        agent.http.close()
        person.client.close()


def _count(owner: psycopg.Connection) -> int:
    row = owner.execute("SELECT count(*) FROM audit_entries").fetchone()
    assert row is not None
    return int(row[0])
