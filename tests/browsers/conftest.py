"""Fixtures of the browser tests: the pages in stock Chromium with a real server.

Owns: the mark `browsers`; one server for each file and one browser for all of them. Each test has a
browser context of its own, so that no cookie is left over.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browsers.chromium import Chromium, chromium, stranger
from tests.support.checks.log_and_rows import verify_log
from tests.support.checks.named_files import named_files
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.terminal import cheap_pins
from tests.support.fakes.push_service import PushService, push_service
from tests.support.servers.server import LiveServer, live_server

_FOLDER = Path(__file__).parent
_OPENED_BY_A_PROGRAM = named_files(_FOLDER, ["both"])
_MAX_SECONDS = 400
"""The timeout includes the start of the server and the browsers before a file's first test."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser."""
    for item in items:
        if _FOLDER in item.path.parents:
            item.add_marker(pytest.mark.browsers)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(_MAX_SECONDS))


@pytest.fixture(scope="module", autouse=True)
def _pins(request: pytest.FixtureRequest) -> Iterator[None]:
    """Makes PINs cheap, except in the file whose keys `sayso-approver` opens as a program."""
    with contextlib.nullcontext() if request.path in _OPENED_BY_A_PROGRAM else cheap_pins():
        yield


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A prepared server for this file."""
    with live_server(tmp_path_factory.mktemp("server"), forked=True) as running:
        yield running
        verify_log(running)


@pytest.fixture
def agent(server: LiveServer) -> Iterator[Agent]:
    """An agent for this test."""
    registered = new_agent(server)
    yield registered
    registered.http.close()


@pytest.fixture(scope="module")
def service() -> Iterator[PushService]:
    """A push service that the tests of a file share."""
    with push_service() as running:
        yield running


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """The browser that all files share, with a profile."""
    with chromium(tmp_path_factory.mktemp("chromium")) as new_browser:
        yield new_browser


@pytest.fixture
def tab(browser: Chromium) -> Iterator[Chromium]:
    """A tab with an authenticator; errors in its console fail the test."""
    with stranger(browser) as new_tab:
        new_tab.add_passkey_holder()
        yield new_tab
        assert new_tab.complaints() == []
