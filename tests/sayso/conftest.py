"""One real server for each file, and one agent and one user for each test."""

from collections.abc import Iterator

import pytest

from sayso import Agent, clock
from tests.support.clients.kit import kit_agent
from tests.support.clients.terminal import Terminal, cheap_pins, new_person
from tests.support.servers.server import LiveServer, live_server


@pytest.fixture(scope="module", autouse=True)
def _pins() -> Iterator[None]:
    """Make PIN stretching cheap; it takes a fifth of a second by design."""
    with cheap_pins():
        yield


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A prepared server that the tests of a file share."""
    with live_server(tmp_path_factory.mktemp("server"), forked=True) as running:
        yield running


@pytest.fixture(autouse=True)
def _one_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the SDK in this process use the server's clock, which tests move."""
    if "server" in request.fixturenames:
        server: LiveServer = request.getfixturevalue("server")
        monkeypatch.setattr(clock, "now", lambda: server.clock.now() // 1000)


@pytest.fixture
def agent(server: LiveServer) -> Agent:
    """An agent for this test, created as a developer would."""
    return kit_agent(server)


@pytest.fixture
def person(server: LiveServer) -> Iterator[Terminal]:
    """A user for this test, at an enrolled terminal."""
    terminal = new_person(server)
    yield terminal
    terminal.client.close()
