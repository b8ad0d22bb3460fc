"""Pages of other sites in a browser with a signed-in user, and the start and end of a sign-in."""

import json
from collections.abc import Iterator

import pytest

from tests.support.browsers.chromium import Chromium
from tests.support.browsers.first_sign_in import newcomer
from tests.support.browsers.web_person import COOKIE, new_web_person
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent
from tests.support.fakes.other_site import CROSS_SITE, SAME_SITE, OtherSite, other_site
from tests.support.servers.server import LiveServer

HOSTS = pytest.mark.parametrize("host", [SAME_SITE, CROSS_SITE])
_SOCKET = """new Promise((done) => {
  const socket = new WebSocket("ws://localhost:%d/api/feed");
  socket.onopen = () => done("open");
  socket.onerror = () => done("refused");
})"""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[OtherSite]:
    """A different site."""
    with other_site() as site:
        yield site


@pytest.fixture
def admin(server: LiveServer, tab: Chromium) -> str:
    """A signed-in administrator, who can disable an agent without a passkey."""
    return newcomer(tab, server, "admin")


@HOSTS
@pytest.mark.usefixtures("admin")
def test_a_form_of_another_site_has_no_effect(
    server: LiveServer, tab: Chromium, agent: Agent, elsewhere: OtherSite, host: str
) -> None:
    """If the cookie were the only protection, the form would disable an agent."""
    url = f"{server.url}/admin/agents/{agent.key.id}/disable"
    form = f'<form method="post" action="{url}"><button>You have won</button></form>'
    tab.open(elsewhere.page(host, "/form", form))
    tab.ask(
        f"fetch('{server.url}/api/passkeys/sign-out', "
        "{method: 'POST', mode: 'no-cors', credentials: 'include'}).then(() => 1)"
    )
    tab.click("button")
    tab.see(f"location.href === '{url}' && document.readyState === 'complete'")
    assert "Request refused" in tab.text()
    tab.events.clear()
    tab.open(f"{server.url}/admin/agents/{agent.key.id}")
    assert tab.text(".head .state") == "enabled"


@HOSTS
@pytest.mark.usefixtures("admin")
def test_no_page_is_shown_in_a_frame_of_another_site(
    server: LiveServer, tab: Chromium, agent: Agent, elsewhere: OtherSite, host: str
) -> None:
    """Clickjacking is prevented, for example on the page that disables an agent."""
    paths = ("/", f"/admin/agents/{agent.key.id}/disable", "/offline")
    frames = "".join(f'<iframe src="{server.url}{path}"></iframe>' for path in paths)
    tab.open(elsewhere.page(host, "/frames", frames))
    until(lambda: tab.ask("1") and len(_refused(tab)) == len(paths), 30)
    tab.events.clear()


@HOSTS
@pytest.mark.usefixtures("admin")
def test_a_page_of_another_site_cannot_open_a_socket(
    server: LiveServer, tab: Chromium, elsewhere: OtherSite, host: str
) -> None:
    """The same script can open a socket only on our own page."""
    assert tab.ask(_SOCKET % server.port) == "open"
    tab.open(elsewhere.page(host, "/socket", ""))
    assert tab.ask(_SOCKET % server.port) == "refused"


def _refused(tab: Chromium) -> list[str]:
    """Return the browser's messages about frames that it refused to show."""
    return [
        complaint
        for complaint in tab.complaints()
        if "frame-ancestors 'none'" in complaint and "blocked" in complaint
    ]


@pytest.mark.usefixtures("admin")
def test_a_form_that_is_sent_after_the_session_ended_is_kept_during_the_sign_in(
    server: LiveServer, tab: Chromium
) -> None:
    """The form is shown again after the sign-in, and can be sent."""
    tab.open(f"{server.url}/admin/new/group")
    tab.type("#name", "night-shift")
    tab.tell("Network.enable")
    tab.tell("Network.deleteCookies", name="sayso-passkey", url=server.url)
    tab.click("form .primary")
    tab.wait_for_text("Your passkey identifies you")
    tab.click("#sign-in")
    tab.wait_for_text("You signed in again after you opened this page.")
    assert tab.ask("document.getElementById('name').value") == "night-shift"
    tab.click("form .primary")
    tab.click("#sign .primary")
    tab.see("document.querySelector('tbody')?.textContent.includes('night-shift')")
    assert all("status of 40" in text for text in tab.complaints())
    tab.events.clear()


@pytest.mark.parametrize("path", ["/", "/settings"])
def test_an_open_page_is_replaced_when_a_different_person_signs_in(
    server: LiveServer, tab: Chromium, agent: Agent, path: str
) -> None:
    """Otherwise one inbox would list the requests of both."""
    first = newcomer(tab, server)
    tab.open(f"{server.url}{path}")
    tab.see(f"document.querySelector('.who')?.textContent === {json.dumps(first)}")
    second = new_web_person(server)
    tab.tell("Network.enable")
    cookie = {"name": COOKIE, "value": second.http.cookies[COOKIE], "url": server.url}
    tab.tell("Network.setCookie", **cookie, httpOnly=True, sameSite="Strict")
    for name in (first, second.name):
        agent.ask_payment(name)
    tab.see(f"document.querySelector('.who')?.textContent === {json.dumps(second.name)}")
    tab.open(f"{server.url}/")
    tab.see("document.querySelectorAll('#rows [data-id]').length === 1")
    assert all("status of 40" in text for text in tab.complaints())
    tab.events.clear()


def test_a_damaged_enrollment_link_opens_the_page(server: LiveServer, tab: Chromium) -> None:
    """A mail program may cut or extend the link. The code can be corrected on the page."""
    tab.open(f"{server.url}/enroll#ABCD-%")
    tab.see("document.querySelector('#make button')?.disabled === false")
    assert tab.ask("document.getElementById('code').value") == "ABCD-%"
