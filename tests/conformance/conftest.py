"""One real server for each file, whose log must be clean when the file is through."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.support.agent import Agent
from tests.support.refusals import MARK
from tests.support.server import LiveServer, live_server
from tests.support.terminal import Terminal, new_person

_RAW = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Settings of this file's server; caps that no table of a file reaches, and a talkative log."""
    return {"open_per_agent": "100000", "open_per_user": "100000", "log_level": "debug"}


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]
) -> Iterator[LiveServer]:
    """A prepared server of this file. No test may bring it to a fault, or a raw byte to its log."""
    with live_server(tmp_path_factory.mktemp("server"), **settings) as running:
        yield running
        log = running.log
    assert "Traceback" not in log, log[-4_000:]
    assert "request.failed" not in log, log[-4_000:]
    assert _RAW.findall(log) == []
    assert f"{MARK}-secret" not in log


@pytest.fixture(scope="module")
def http(server: LiveServer) -> Iterator[httpx.Client]:
    """The connection of this file."""
    with server.client() as client:
        yield client


@pytest.fixture
def agent(server: LiveServer, http: httpx.Client) -> Agent:
    """An agent of this test."""
    return Agent(server.agent(), http)


@pytest.fixture(scope="module")
def user(server: LiveServer) -> str:
    """Somebody who can be asked."""
    return server.user()[0]


@pytest.fixture(scope="module")
def person(server: LiveServer) -> Iterator[Terminal]:
    """Somebody at an enrolled terminal, who can answer."""
    made = new_person(server)
    yield made
    made.client.close()
