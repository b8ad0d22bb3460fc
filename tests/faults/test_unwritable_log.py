"""When the audit log cannot be written, nothing takes effect; the server recovers by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from approver_tui.client.errors import ApiError, UnknownOutcome
from server.delivery.audit_formats import json_line
from server.delivery.audit_streams import FOLDER, StreamRun
from server.delivery.audit_targets import StdoutTarget
from server.services.audit.streams import AuditStream
from tests.support.builders.clock import MINUTE
from tests.support.builders.databases import upgraded_database
from tests.support.checks.ledger import read_ledger
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.terminal import Terminal, new_person
from tests.support.servers.load import WITHOUT_LIMITS
from tests.support.servers.server import LiveServer, live_server

_ON_SQLITE = """
CREATE TRIGGER no_entry BEFORE INSERT ON audit_entries
BEGIN SELECT RAISE(ABORT, 'no entry'); END
"""
_ON_POSTGRESQL = """
CREATE FUNCTION no_entry() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION 'no entry'; END $$;
CREATE TRIGGER no_entry BEFORE INSERT ON audit_entries
FOR EACH ROW EXECUTE FUNCTION no_entry()
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LiveServer]:
    """A server, on each kind of database."""
    settings = {}
    if request.param == "postgresql":
        settings["database_url"] = upgraded_database(request.getfixturevalue("postgres_server"))
    with live_server(tmp_path, forked=True, **settings) as running:
        yield running


def _url(server: LiveServer) -> str:
    return server.services.settings.sqlalchemy_url


@contextmanager
def _block_log(server: LiveServer) -> Iterator[None]:
    """Blocks storing entries while the block runs; everything else can be stored."""
    on_sqlite = server.services.settings.on_sqlite
    engine = sa.create_engine(_url(server))
    with engine.begin() as connection:
        connection.exec_driver_sql(_ON_SQLITE if on_sqlite else _ON_POSTGRESQL)
    try:
        yield
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "DROP TRIGGER no_entry" if on_sqlite else "DROP FUNCTION no_entry CASCADE"
            )
    finally:
        engine.dispose()


def test_without_the_log_nothing_takes_effect(server: LiveServer) -> None:
    """A request, a decision and a token each get 503, and work again later."""
    agent, person, url = new_agent(server), new_person(server), _url(server)
    approved = agent.request_approval(person.user)
    person.approve(person.only_request())
    agent.request_approval(person.user)
    pending = person.only_request()
    with _block_log(server):
        before = read_ledger(url)
        _assert_refused(agent, person)
        with pytest.raises(UnknownOutcome) as unknown:
            person.deny(pending)
        assert isinstance(unknown.value.__cause__, ApiError)
        assert unknown.value.__cause__.status == 503
        assert agent.poll(approved).status_code == 503
        assert read_ledger(url) == before
    assert agent.poll(approved).status_code == 200
    person.deny(pending)
    assert agent.ask(person.user).is_success
    agent.http.close()
    person.client.close()


def test_the_check_detects_effects_without_entries(tmp_path: Path) -> None:
    """If no entry is written, nothing is refused, so the check fails."""
    with (
        live_server(tmp_path, forked=True, options=("--seed", "no_entries")) as server,
        pytest.raises(AssertionError),
    ):
        test_without_the_log_nothing_takes_effect(server)


def test_a_required_stream_that_is_behind_stops_the_server(tmp_path: Path) -> None:
    """The server refuses requests after a minute, until the stream has sent the log."""
    settings = {**WITHOUT_LIMITS, "audit_streams_required": "stdout"}
    with live_server(tmp_path, forked=True, **settings) as server:
        agent, person = new_agent(server), new_person(server)
        assert agent.ask(person.user).is_success
        server.clock.forward(MINUTE)
        until(lambda: agent.ask(person.user).status_code == 503)
        _assert_refused(agent, person)
        server.services.audit_log.sign()
        source = AuditStream(server.services.store)
        StreamRun(source, StdoutTarget(json_line), once=True, report=print).run(
            tmp_path / "data" / FOLDER, "stdout"
        )
        until(lambda: agent.ask(person.user).is_success)
        assert b'sayso_audit_unsent_seconds{stream="stdout"}' in agent.http.get("/metrics").content
        agent.http.close()
        person.client.close()


def _assert_refused(agent: Agent, person: Terminal) -> None:
    answer = agent.ask(person.user)
    assert answer.status_code == 503
    assert answer.json()["error"] == "temporarily_unavailable"
    assert "Retry-After" in answer.headers
