"""A server with few file descriptors: feeds are refused in time, and everything else continues."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from server.http.feed import MAX_SOCKETS
from server.serving.descriptors import capacity
from tests.bench.processes import tree
from tests.support.checks.waiting import until
from tests.support.clients.agent import new_agent
from tests.support.clients.feed_frames import open_feed
from tests.support.clients.terminal import Terminal, new_person
from tests.support.servers.server import LiveServer, live_server

_FILES = 100
_FEEDS = capacity(_FILES, 20_000).feeds


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """A server whose limit on open files is far below a usual one."""
    with live_server(tmp_path, options=("--files", str(_FILES))) as running:
        yield running


def _open_files(server: LiveServer) -> int:
    assert server.process is not None
    *_, worker = tree(server.process.pid)
    return len(list(Path(f"/proc/{worker}/fd").iterdir()))


def _refusal(person: Terminal) -> InvalidStatus | None:
    try:
        with open_feed(person):
            return None
    except InvalidStatus as refused:
        return refused


def test_feeds_are_refused_before_descriptors_run_out(server: LiveServer) -> None:
    """The refusal is a 503 with Retry-After. Requests and open feeds continue to work."""
    people = [new_person(server) for _ in range(_FEEDS // MAX_SOCKETS + 2)]
    agent, before = new_agent(server), _open_files(server)
    with ExitStack() as stack:
        for person in people:
            stack.callback(person.client.close)
        first = stack.enter_context(open_feed(people[0]))
        with ExitStack() as others:
            for number in range(1, _FEEDS):
                others.enter_context(open_feed(people[number // MAX_SOCKETS]))
            assert _open_files(server) - before < _FEEDS + MAX_SOCKETS  # one for each feed
            refused = _refusal(people[-1])
            assert refused is not None
            assert refused.response.status_code == 503
            assert int(refused.response.headers["Retry-After"]) > 0
            assert json.loads(refused.response.body or b"")["code"] == "unavailable"
            agent.request_approval(people[0].user)
            assert first.frame()["event"] == "approval.requested"
        until(lambda: _refusal(people[-1]) is None)
    assert "serving.capacity" in server.log
