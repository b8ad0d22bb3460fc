"""Memory of a server to which many connections send requests that never end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.processes import memory_mib
from tests.support.clients.floods import CHUNKED_BODY, LARGE_BODY, LARGE_HEAD, flood
from tests.support.servers.server import LiveServer, live_server

_MOST_MIB = 100


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """A server of the test's own, so that its memory is what this test made it."""
    with live_server(tmp_path) as running:
        yield running


@pytest.mark.parametrize(
    ("sent", "connections"),
    [(LARGE_HEAD, 100), (LARGE_BODY, 1_200), (CHUNKED_BODY, 100)],
    ids=["heads", "bodies", "chunks"],
)
def test_requests_without_an_end_hold_little(
    server: LiveServer, sent: bytes, connections: int
) -> None:
    """Beyond idle it is less than 100 MiB in all, and others are served meanwhile."""
    assert server.process is not None
    idle = memory_mib(server.process.pid)
    with flood(server.port, sent, connections):
        for _ in range(20):  # answered behind what was received before
            assert server.client().get("/jwks").status_code == 200
            assert memory_mib(server.process.pid) - idle < _MOST_MIB
