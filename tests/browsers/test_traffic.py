"""The network traffic of the inbox, for any number of pending requests."""

from collections.abc import Iterator

import pytest

from server.services.approvals.oversight import Oversight
from tests.support.browsers.chromium import Chromium
from tests.support.browsers.first_sign_in import newcomer
from tests.support.browsers.first_view import first_view, transferred
from tests.support.browsers.live_pages import listening
from tests.support.checks.log_and_rows import waiting
from tests.support.clients.agent import Agent
from tests.support.servers.load import WITHOUT_LIMITS
from tests.support.servers.server import BY, LiveServer, live_server

_VIEW_BYTES = 100_000
_EVENT_BYTES = 4_096


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server without limits on the number of requests."""
    with live_server(tmp_path_factory.mktemp("server"), forked=True, **WITHOUT_LIMITS) as running:
        yield running


@pytest.mark.parametrize("number", [0, 1, 50, 500])
def test_a_first_view_and_an_event_stay_small(
    server: LiveServer, tab: Chromium, agent: Agent, number: int
) -> None:
    """The view is measured with an empty cache, then a new request and the end of a request."""
    user = newcomer(tab, server)
    for _ in range(number):
        agent.request_approval(user)
    visit = first_view(tab, f"{server.url}/", worker=False)
    assert 10_000 < visit.bytes < _VIEW_BYTES
    listening(tab, f"{server.url}/")
    with transferred(tab) as request_traffic:
        agent.ask_payment(user)
        _titled(tab, number + 1)
        tab.see("document.querySelector('#rows > :last-child').innerText.includes('4,820.00')")
    assert 500 < request_traffic() < _EVENT_BYTES
    (paid,) = [approval for approval in waiting(server, user) if approval.risk == "high"]
    with transferred(tab) as end_traffic:
        Oversight(server.services.store).cancel(paid.id, "No longer needed", by=BY)
        _titled(tab, number)
        tab.see("document.querySelector('#rows > :last-child').className.includes('gone')")
    assert 500 < end_traffic() < _EVENT_BYTES


def test_a_page_that_was_cut_off_gets_only_what_it_missed(
    server: LiveServer, tab: Chromium, agent: Agent
) -> None:
    """The feed continues at its last event, and the page does not fetch the list again."""
    user = newcomer(tab, server)
    for _ in range(51):
        agent.request_approval(user)
    listening(tab, f"{server.url}/")
    tab.ask("window.sockets.at(-1).close()")
    agent.ask_payment(user)
    _titled(tab, 52)
    loads = "performance.getEntriesByType('resource').map((each) => new URL(each.name).search)"
    assert not [query for query in tab.ask(loads) if query.startswith("?first")]


def _titled(tab: Chromium, count: int) -> None:
    title = f"({count}) " if count else ""
    tab.see(f"document.title === '{title}Inbox · Sayso'")
