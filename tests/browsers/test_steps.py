"""The request page on a phone: the first screen, and going back between the steps."""

import json

import pytest

from server.protocol.policy.rendering import MAX_MATERIAL_VALUE
from server.services.policy import builtin_action_types
from server.services.policy.action_types import ActionTypes
from tests.support.browsers.chromium import Chromium
from tests.support.browsers.first_sign_in import newcomer
from tests.support.checks.log_and_rows import waiting
from tests.support.clients.agent import Agent
from tests.support.servers.server import BY, LiveServer

_BOTTOM = "document.querySelector('{}').getBoundingClientRect().bottom"
_TOP = "document.querySelector('{}').getBoundingClientRect().top"
_HEIGHT = 740
_LETTER = {
    "type": "message.send",
    "recipients": ["bob@nordwind.example"],
    "domains": ["nordwind.example"],
    "external_domains": ["nordwind.example"],
    "subject": "Quarter",
    "text": "x " * (MAX_MATERIAL_VALUE // 2 - 1) + "x",
    "attachments": [],
}


@pytest.fixture
def page(server: LiveServer, tab: Chromium, agent: Agent) -> Chromium:
    """The page of a payment request on a phone."""
    user = newcomer(tab, server)
    agent.ask_payment(user)
    tab.look(width=360, height=_HEIGHT)
    tab.open(f"{server.url}/r/{waiting(server, user)[0].id}")
    tab.see("!document.getElementById('to-deny').disabled")
    return tab


@pytest.fixture
def letter(server: LiveServer, tab: Chromium, agent: Agent) -> Chromium:
    """The page of a request that does not fit on the screen of a phone."""
    types = ActionTypes(server.services.store)
    if "message.send" not in [type_.type for type_ in types.all()]:
        types.add(builtin_action_types.registrable("message.send"), by=BY)
    user = newcomer(tab, server)
    details = json.dumps([_LETTER])
    agent.request_approval(user, scope="openid payments:transfer", authorization_details=details)
    tab.look(width=360, height=_HEIGHT)
    tab.open(f"{server.url}/r/{waiting(server, user)[0].id}")
    tab.see("!document.getElementById('to-deny').disabled")
    return tab


def test_the_agents_name_is_on_the_first_screen(page: Chromium, agent: Agent) -> None:
    """The agent's name is directly below the headline, above the facts and the buttons."""
    assert agent.key.name in page.text(".asker")
    assert page.ask(_BOTTOM.format(".asker")) < page.ask(_TOP.format("#facts dl"))
    assert page.ask(_BOTTOM.format(".asker")) < page.ask(_TOP.format(".bar"))
    assert page.ask(_BOTTOM.format("#to-approve")) <= _HEIGHT


def test_the_reason_why_approve_is_disabled_is_above_it(letter: Chromium) -> None:
    """The reason is directly above the buttons, wherever the page is scrolled to."""
    page = letter
    assert page.ask("document.getElementById('to-approve').disabled") is True
    page.wait_for_text("Read every fact to enable Approve.")
    assert page.ask(_BOTTOM.format("#hint")) <= page.ask(_TOP.format("#to-approve"))
    assert page.ask(_TOP.format("#hint")) > page.ask(_BOTTOM.format(".asker"))
    assert page.ask(_BOTTOM.format("#to-approve")) <= _HEIGHT


def test_the_back_button_leaves_a_step_and_keeps_the_note(page: Chromium) -> None:
    """The browser's Back and Forward work between steps, and so does Back on the page."""
    page.click("#to-deny")
    page.see("document.activeElement.id === 'deny-title'")
    page.wait_for_text("Pay EUR 4,820.00 to Nordwind Logistik GmbH")
    page.type("#note", "Too early")
    page.ask("history.back()")
    page.see("document.activeElement.id === 'to-deny'")
    assert page.ask("location.hash") == ""
    page.ask("history.forward()")
    page.see("document.activeElement.id === 'deny-title'")
    assert page.ask("document.getElementById('note').value") == "Too early"
    page.click("#deny [data-back]")
    page.see("document.activeElement.id === 'to-deny'")
    assert page.ask("location.hash") == ""


@pytest.mark.parametrize(
    ("step", "send"),
    [("#deny", "#no [type=submit]"), ("/report", "#report [type=submit]")],
)
def test_a_note_is_kept_when_the_sign_in_ends_before_it_is_sent(
    server: LiveServer, page: Chromium, step: str, send: str
) -> None:
    """The person signs in again, and the page has the same step with what was typed."""
    page.open(page.ask("location.origin + location.pathname") + step)
    page.click("[name=code][value=too_broad], [name=scope][value=agent]")
    page.type("#note", "Not before the audit")
    page.tell("Network.enable")
    page.tell("Network.deleteCookies", name="sayso-passkey", url=server.url)
    page.click(send)
    page.wait_for_text("Your passkey identifies you")
    page.click("#sign-in")
    page.see("document.getElementById('note')?.value === 'Not before the audit'")
    assert page.ask("document.getElementById('note').checkVisibility()")
    page.click(send)
    page.wait_for_text("Denied" if step == "#deny" else "Reported")
    page.open(f"{server.url}/")
    assert page.ask("sessionStorage.length") == 0
    assert all("status of 401" in text for text in page.complaints())
    page.events.clear()


def test_the_address_of_the_approving_step_does_not_skip_reading(letter: Chromium) -> None:
    """A link to the approval step opens the facts instead."""
    page = letter
    page.ask("location.hash = 'approve'")
    page.see("location.hash === ''")
    assert page.ask("document.getElementById('approve').hidden") is True
    page.ask("location.hash = 'deny'")
    page.see("document.activeElement.id === 'deny-title'")
