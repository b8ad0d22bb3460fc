"""One real server for each file; one agent and one person for each test."""

from collections.abc import Iterator

import pytest

from sayso import Agent, clock
from tests.support.clients.kit import kit_agent
from tests.support.clients.terminal import Terminal, cheap_pins, new_person
from tests.support.servers.server import LiveServer, live_server


@pytest.fixture(scope="module", autouse=True)
def _pins() -> Iterator[None]:
    """A PIN costs a fifth of a second on purpose."""
    with cheap_pins():
        yield


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A prepared server of this file."""
    with live_server(tmp_path_factory.mktemp("server"), forked=True) as running:
        yield running


@pytest.fixture(autouse=True)
def _one_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK in this process goes by the server's clock, which tests move."""
    if "server" in request.fixturenames:
        server: LiveServer = request.getfixturevalue("server")
        monkeypatch.setattr(clock, "now", lambda: server.clock.now() // 1000)


@pytest.fixture
def agent(server: LiveServer) -> Agent:
    """An agent of this test, as its developer writes it."""
    return kit_agent(server)


@pytest.fixture
def person(server: LiveServer) -> Iterator[Terminal]:
    """A person of this test, at an enrolled terminal."""
    made = new_person(server)
    yield made
    made.client.close()
