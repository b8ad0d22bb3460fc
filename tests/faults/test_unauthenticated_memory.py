"""The memory of a server with many connections whose requests never end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.processes import memory_mib
from tests.support.clients.floods import CHUNKED_BODY, LARGE_BODY, LARGE_HEAD, flood
from tests.support.servers.server import LiveServer, live_server

_MAX_MIB = 100


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """A server for one test, so that only this test uses its memory."""
    with live_server(tmp_path) as running:
        yield running


@pytest.mark.parametrize(
    ("sent", "connections"),
    [(LARGE_HEAD, 100), (LARGE_BODY, 1_200), (CHUNKED_BODY, 100)],
    ids=["heads", "bodies", "chunks"],
)
def test_unfinished_requests_use_little_memory(
    server: LiveServer, sent: bytes, connections: int
) -> None:
    """Such requests use less than 100 MiB in total, and other requests are served."""
    assert server.process is not None
    idle = memory_mib(server.process.pid)
    with flood(server.port, sent, connections):
        for _ in range(20):  # the server responds after it has read earlier input
            assert server.client().get("/jwks").status_code == 200
            assert memory_mib(server.process.pid) - idle < _MAX_MIB
