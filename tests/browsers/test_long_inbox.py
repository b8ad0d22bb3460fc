"""An inbox with more requests than one page lists."""

from collections.abc import Iterator

import pytest

from tests.support.browsers.chromium import Chromium
from tests.support.browsers.first_sign_in import newcomer
from tests.support.clients.agent import Agent
from tests.support.servers.load import WITHOUT_LIMITS
from tests.support.servers.server import LiveServer, live_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server without limits on the number of requests."""
    with live_server(tmp_path_factory.mktemp("server"), forked=True, **WITHOUT_LIMITS) as running:
        yield running


def test_a_higher_risk_is_added_and_no_pending_request_is_dimmed(
    server: LiveServer, tab: Chromium, agent: Agent
) -> None:
    """The new request is one of the first fifty, and the request that it displaces still waits."""
    user = newcomer(tab, server)
    for _ in range(51):
        agent.request_approval(user)
    tab.open(f"{server.url}/")
    assert tab.ask("document.querySelectorAll('#rows > li').length") == 50
    agent.ask_payment(user)
    tab.see("document.querySelector('#rows > :last-child').innerText.includes('4,820.00')")
    tab.see("document.title === '(52) Inbox · Sayso'")
    assert tab.ask("document.querySelectorAll('#rows > .gone').length") == 0
    assert tab.ask("document.getElementById('news').hidden")
