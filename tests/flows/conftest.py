"""Fixtures of the flow tests: a real server, and one agent and one user per test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checks.log_and_rows import verify_log
from tests.support.checks.named_files import named_files
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.terminal import Terminal, cheap_pins, new_person
from tests.support.servers.server import LiveServer, live_server

_OPENED_BY_A_PROGRAM = named_files(
    Path(__file__).parent,
    (
        "acceptance",
        "attention",
        "batch",
        "bursts",
        "never_lost",
        "parallel_answers",
        "random_keys",
        "screens",
        "several_servers",
        "sign_in",
        "standing_grant_on_screen",
    ),
)
"""Files in which `sayso-approver` runs as a program and opens keys that the test enrolled."""
_SHARING = named_files(
    Path(__file__).parent,
    (
        "approved",
        "attention",
        "batch",
        "browser_feed",
        "browser_sessions",
        "cancelled",
        "disabled",
        "feed_sockets",
        "other_requests",
        "parallel_answers",
        "receipt",
        "sign_in",
        "superseded",
    ),
)
"""Files that do not move the clock, stop the server or change what other tests use."""
_AS_IN_PRODUCTION = named_files(Path(__file__).parent, ["long_poll"])
"""Files whose server starts as in production, because they test how gunicorn ends it."""


@pytest.fixture(scope="module", autouse=True)
def _pins(request: pytest.FixtureRequest) -> Iterator[None]:
    """Makes PINs cheap. A real one takes a fifth of a second, and these tests enter hundreds."""
    if request.path in _OPENED_BY_A_PROGRAM:
        yield
        return
    with cheap_pins():
        yield


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A prepared server, shared by all files that leave it unchanged."""
    with live_server(tmp_path_factory.mktemp("shared"), forked=True) as running:
        yield running


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A prepared server, shared by the tests of one file. Its audit log is verified at the end."""
    if request.path in _SHARING:
        running: LiveServer = request.getfixturevalue("shared_server")
        yield running
        running.closing.close()
        verify_log(running)
        return
    folder: Path = tmp_path_factory.mktemp("server")
    with live_server(folder, forked=request.path not in _AS_IN_PRODUCTION) as running:
        yield running
        verify_log(running)


@pytest.fixture
def agent(server: LiveServer) -> Iterator[Agent]:
    """A new agent for each test."""
    new = new_agent(server)
    yield new
    new.http.close()


@pytest.fixture
def user(server: LiveServer) -> str:
    """The name of a user without a device, for tests in which nobody answers."""
    return server.user()[0]


@pytest.fixture
def person(server: LiveServer) -> Iterator[Terminal]:
    """A user at an enrolled terminal."""
    new = new_person(server)
    yield new
    new.client.close()
