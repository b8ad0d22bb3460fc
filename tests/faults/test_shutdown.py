"""SIGTERM under load: acknowledged data is stored, sockets are closed, and the server exits."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from server.serving.main import GRACEFUL_SECONDS
from tests.support.builders import decided_rows
from tests.support.checks.ledger import read_ledger
from tests.support.checks.waiting import in_background, until
from tests.support.clients.feed_frames import open_feed
from tests.support.servers.load import WITHOUT_LIMITS, Load, new_load
from tests.support.servers.server import LiveServer, live_server

_MAX_SECONDS = 12
_SLACK_SECONDS = 10  # a busy machine is slow, not broken


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """A server for one test."""
    with live_server(tmp_path, **WITHOUT_LIMITS) as running:
        yield running


@pytest.fixture
def load(server: LiveServer) -> Iterator[Load]:
    """A load on the server."""
    running_load = new_load(server)
    yield running_load
    running_load.close()


def test_stopping_under_load_loses_nothing_acknowledged(server: LiveServer, load: Load) -> None:
    """No answer is an internal error, and nothing is half done."""
    for again in range(3):
        if again:
            server.start()
        before = len(load.answers)
        with load.running():
            until(lambda before=before: len(load.answers) > before + 2, 30)
            took = server.stop()
        ledger = read_ledger(f"sqlite:///{server.folder / 'data' / 'sayso.db'}")

        assert took < _MAX_SECONDS + _SLACK_SECONDS
        assert {name: ledger.decisions.get(name) for name in load.answers} == load.answers
        assert set(load.tokens) <= set(ledger.tokens.values())
        assert ledger.discrepancies() == []
    assert load.faults == []


def test_sockets_are_closed_with_1012(server: LiveServer, load: Load) -> None:
    """The code tells a terminal that the server restarts, so it reconnects by itself."""
    with (
        open_feed(load.person) as first,
        open_feed(load.person) as second,
        in_background(server.stop) as ending,
    ):
        assert first.closed() == 1012
        assert second.closed() == 1012
        assert ending.result(30) < GRACEFUL_SECONDS


def test_an_idle_server_stops_by_itself(server: LiveServer) -> None:
    """Idle connections are closed, and no worker has to be killed."""
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        client.get("/healthz")
        assert server.stop() < GRACEFUL_SECONDS


def test_a_held_poll_is_answered_before_the_server_ends(server: LiveServer, load: Load) -> None:
    """I20: the agent gets authorization_pending, not a broken connection."""
    (handle,) = decided_rows.requests(
        server.services, load.agent.key.id, load.person.user, 1, approved=False
    )
    with in_background(lambda: load.agent.poll(handle, prefer="wait=50")) as held_poll:
        until(lambda: _is_held(server, load))
        began = time.monotonic()
        server.stop()
        answer = held_poll.result(30)

    assert (answer.status_code, answer.json()["error"]) == (400, "authorization_pending")
    assert time.monotonic() - began < _MAX_SECONDS + _SLACK_SECONDS


def _is_held(server: LiveServer, load: Load) -> bool:
    with server.services.store.read() as view:
        approvals = view.approvals.open_of_agent(load.agent.key.id)
    return any(approval.holder for approval in approvals)
