"""Fixtures of the conformance tests: real servers whose log must be clean at the end of a file."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.checks.named_files import named_files
from tests.support.checks.refusals import MARK
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal, cheap_pins, new_person
from tests.support.inputs.raw_api import RawApi
from tests.support.servers.server import LiveServer, live_server

_RAW = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_SETTINGS = {"open_per_agent": "100000", "open_per_user": "100000", "log_level": "debug"}
_SHARING = named_files(
    Path(__file__).parent,
    (
        "acknowledgement",
        "backchannel_parameters",
        "backchannel_transport",
        "client_authentication",
        "discovery",
        "dpop",
        "foreign_clients",
        "foreign_people",
        "framing",
        "id_token_hint",
        "registration",
        "rich_requests",
        "signed_requests",
        "tokens",
    ),
)
"""Files that do not move the clock or stop the server, and whose additions do not collide."""


@pytest.fixture(scope="module", autouse=True)
def _pins() -> Iterator[None]:
    """Makes PINs cheap. A real one takes a fifth of a second, and these tests enter hundreds."""
    with cheap_pins():
        yield


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """The settings of this file's server: limits that no test reaches, and a debug log."""
    return _SETTINGS


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A prepared server, shared by all files that leave it unchanged."""
    with live_server(tmp_path_factory.mktemp("shared"), forked=True, **_SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    settings: dict[str, str],
) -> Iterator[LiveServer]:
    """A prepared server. No test may cause an internal error, or a raw control byte in its log."""
    if request.path in _SHARING:
        running: LiveServer = request.getfixturevalue("shared_server")
        before = len(running.log)
        yield running
        running.closing.close()
        _check_log(running.log[before:])
        return
    with live_server(tmp_path_factory.mktemp("server"), forked=True, **settings) as running:
        yield running
        log = running.log
    _check_log(log)


def _check_log(log: str) -> None:
    assert "Traceback" not in log, log[-4_000:]
    assert "request.failed" not in log, log[-4_000:]
    assert _RAW.findall(log) == []
    assert f"{MARK}-secret" not in log


@pytest.fixture(scope="module")
def http(server: LiveServer) -> Iterator[httpx.Client]:
    """The connection that the tests of a file share."""
    with server.client() as client:
        yield client


@pytest.fixture
def agent(server: LiveServer, http: httpx.Client) -> Agent:
    """A new agent for each test."""
    return Agent(server.agent(), http)


@pytest.fixture(scope="module")
def user(server: LiveServer) -> str:
    """A user who can be asked."""
    return server.user()[0]


@pytest.fixture(scope="module")
def person(server: LiveServer) -> Iterator[Terminal]:
    """A user at an enrolled terminal, who can answer."""
    terminal = new_person(server)
    yield terminal
    terminal.client.close()


@pytest.fixture(scope="module")
def api(person: Terminal, http: httpx.Client) -> RawApi:
    """The API, called with or without the credentials of this file's user."""
    return RawApi(person, http)
