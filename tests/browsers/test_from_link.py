"""A link in a chat or an email opens the request for a user who is signed in."""

import pytest

from tests.support.browsers.chromium import Chromium
from tests.support.browsers.first_sign_in import newcomer
from tests.support.checks.log_and_rows import waiting
from tests.support.clients.agent import Agent
from tests.support.fakes.other_site import CROSS_SITE, other_site
from tests.support.servers.server import LiveServer


@pytest.mark.parametrize("worker", [False, True])
def test_a_link_from_another_site_opens_the_request(
    server: LiveServer, tab: Chromium, agent: Agent, *, worker: bool
) -> None:
    """The browser leaves the strict cookie out at first; the page loads itself again.

    Also if the service worker, which sends other headers, loads it.
    """
    user = newcomer(tab, server)
    tab.see("navigator.serviceWorker.ready.then((there) => there.active.state === 'activated')")
    tab.tell("Network.enable")
    tab.tell("Network.setBypassServiceWorker", bypass=not worker)
    agent.ask_payment(user)
    link = f"{server.url}/r/{waiting(server, user)[0].id}"
    with other_site() as chat:
        markup = f'<a href="{link}" style="display: block; height: 5rem">{link}</a>'
        tab.open(chat.page(CROSS_SITE, "/chat", markup))
        tab.click("a")
        tab.wait_for_text("Pay EUR 4,820.00")
        assert tab.ask("location.href") == link
        tab.leave("history.back()")
        tab.see("document.title === 'Elsewhere'")


def test_a_link_shows_the_sign_in_to_others(server: LiveServer, tab: Chromium) -> None:
    """The page reloads itself only once and then shows the sign-in."""
    with other_site() as chat:
        markup = f'<a href="{server.url}/" style="display: block; height: 5rem">Sayso</a>'
        tab.open(chat.page(CROSS_SITE, "/chat", markup))
        tab.click("a")
        tab.wait_for_text("Your passkey identifies you")
        tab.see("!document.getElementById('sign-in').disabled")
