"""A user on the pages, from a one-time code to the agent's token."""

from itertools import pairwise

import pytest

from server.protocol.approvals.states import State
from server.services.approvals.oversight import Oversight
from tests.support.browsers.chromium import Chromium
from tests.support.browsers.first_sign_in import newcomer
from tests.support.browsers.first_view import first_view
from tests.support.browsers.live_pages import (
    listening,
    poll_times,
    polling,
    says_soon,
    socket_messages,
)
from tests.support.checks.log_and_rows import waiting
from tests.support.servers.server import BY, LiveServer

DENY_NOW = "#no button[type=submit]"


@pytest.fixture
def user(server: LiveServer, tab: Chromium) -> str:
    """A user who created a passkey in this browser."""
    return newcomer(tab, server)


def _only(server: LiveServer, tab: Chromium) -> None:
    """Open the only pending request."""
    tab.open(f"{server.url}/")
    tab.click(".row a")
    tab.see("document.readyState === 'complete' && Boolean(document.getElementById('request'))")


def test_a_code_creates_a_passkey_and_the_passkey_signs_in_again(tab, user):
    """The code is removed from the address bar immediately, and signing in needs no name."""
    assert tab.ask("location.hash") == ""
    tab.click("[data-sign-out]")
    tab.wait_for_text("Sign in")
    tab.click("#sign-in")
    tab.wait_for_text("No requests are waiting")
    assert user in tab.text(".who")


def test_a_high_risk_request_is_read_approved_and_redeemed(server, tab, user, agent):
    """The page shows all facts before the approval step."""
    handle = agent.ask_payment(user, binding_message="Pay <b>now</b>").json()["auth_req_id"]
    _only(server, tab)
    for words in (
        "high risk",
        "Pay EUR 4,820.00 to Nordwind Logistik GmbH",
        "Amount",
        "Unusual",
        "Cannot be undone",
        agent.key.name,
        "Owner",
        "from 127.0.0.1",
        "Why you",
        "Agent says, not verified",
        "Pay <b>now</b>",
        "One access token",
        "Expiring isn't a denial",
        "Fingerprint",
    ):
        tab.wait_for_text(words)
    tab.click("#to-approve")
    tab.see("document.activeElement.id === 'approve-title'")
    tab.click("#approve-now")
    tab.wait_for_text("Approved by")
    tokens = agent.poll(handle).json()
    assert tokens["token_type"] == "Bearer"


def test_a_request_is_denied_with_a_reason_and_a_note(server, tab, user, agent):
    """The agent gets the reason and the note."""
    handle = agent.request_approval(user)
    _only(server, tab)
    tab.click("#to-deny")
    tab.click("input[value=too_broad]")
    tab.type("#note", "Read only, please")
    tab.click(DENY_NOW)
    tab.wait_for_text("Denied by")
    reply = agent.poll(handle).json()
    assert (reply["error"], reply["deny_code"]) == ("access_denied", "too_broad")
    assert reply["note"] == "Read only, please"


def test_a_passkey_without_user_verification_cannot_decide(server, tab, user, agent):
    """The page says that nothing was sent, and the request stays pending."""
    agent.request_approval(user)
    _only(server, tab)
    tab.verify(person=False)
    tab.click("#to-deny")
    tab.click(DENY_NOW)
    tab.wait_for_text("The passkey was not used. Nothing was sent.")
    assert _state(server, tab) is State.PENDING


def test_a_click_before_the_button_is_enabled_does_not_approve(server, tab, user, agent):
    """Submitting the form without a button approves nothing either."""
    agent.request_approval(user)
    _only(server, tab)
    tab.click("#to-approve")
    tab.ask("document.getElementById('yes').requestSubmit()")
    assert _state(server, tab) is State.PENDING
    tab.click("#approve-now")
    tab.wait_for_text("Approved by")


def test_a_decision_on_another_device_appears_without_buttons(server, tab, user, agent):
    """The page shows that the request is closed, within seconds."""
    agent.request_approval(user)
    _only(server, tab)
    Oversight(server.services.store).cancel(_id(tab), "No longer needed", by=BY)
    tab.wait_for_text("This request is closed")
    assert tab.ask("document.getElementById('to-approve')") is None


def test_a_page_gets_events_through_its_socket_immediately(server, tab, user, agent):
    """Without the socket, polling would take half a minute."""
    listening(tab, f"{server.url}/")
    agent.request_approval(user)
    (approval,) = waiting(server, user)
    says_soon(server, tab, "1 new request.", since=approval.created_at)
    assert "approval.requested" in socket_messages(tab)


@pytest.mark.parametrize("answered", [False, True])
def test_a_page_without_its_socket_polls_every_two_seconds(server, tab, user, agent, answered):
    """New requests and decisions on other devices still appear."""
    agent.request_approval(user)
    (approval,) = waiting(server, user)
    tab.tell("Network.enable")
    tab.tell("Network.setBlockedURLs", urls=["*/api/feed/ticket"])
    polling(tab, f"{server.url}/r/{approval.id}" if answered else f"{server.url}/")
    polls_seen = poll_times(tab)
    assert all(1_990 <= later - done < 10_000 for (_, done), (later, _) in pairwise(polls_seen))
    assert socket_messages(tab) == []
    if answered:
        Oversight(server.services.store).cancel(approval.id, "No longer needed", by=BY)
    else:
        agent.ask_payment(user)
    tab.wait_for_text("This request is closed" if answered else "1 new request.")
    assert socket_messages(tab) == []


def test_new_requests_are_added_at_the_end(server, tab, user, agent):
    """Other rows do not move, the title shows the count, and the new row can be opened."""
    tab.open(f"{server.url}/")
    tab.wait_for_text("No requests are waiting")
    agent.request_approval(user)
    tab.wait_for_text("1 new request.")
    first = tab.text("#rows")
    agent.ask_payment(user)
    tab.see("document.querySelectorAll('.row').length === 2")
    assert tab.text("#rows").startswith(first)
    assert "No requests are waiting" not in tab.text("main")
    tab.see("document.title === '(2) Inbox · Sayso'")
    assert tab.ask("document.getElementById('news').hidden")
    tab.click("#rows > :last-child a")
    tab.wait_for_text("Pay EUR 4,820.00")


@pytest.mark.usefixtures("user")
def test_an_enrollment_code_is_shown_after_the_passkey_signed(server, tab):
    """The code is shown as text and as a QR code, which the content security policy allows."""
    tab.open(f"{server.url}/devices")
    tab.click("#another button")
    tab.wait_for_text("Create a one-time code")
    tab.click("#sign button")
    tab.see("document.querySelector('svg.qr')?.getBoundingClientRect().width > 200")
    assert tab.ask("document.querySelector('code.big').textContent.length") == 39


@pytest.mark.usefixtures("user")
def test_a_removed_passkey_is_signed_out(server, tab):
    """After a confirmation, the page shows that the device was revoked."""
    tab.open(f"{server.url}/devices")
    tab.wait_for_text("Create a code")
    tab.click("[data-remove]")
    tab.click("#sure-yes")
    tab.wait_for_text("This device was revoked")


def test_pages_do_not_scroll_sideways_on_phones_and_desktops(server, tab, user, agent):
    """Even a request with a long message fits into 320 pixels."""
    agent.ask_payment(user, binding_message="x" * 200)
    _only(server, tab)
    for width in (320, 360, 1440):
        tab.look(width=width)
        tab.see(f"document.documentElement.scrollWidth <= {width}")


@pytest.mark.parametrize("worker", [False, True])
def test_the_first_load_of_the_inbox_is_small_and_contacts_no_other_host(
    server, tab, user, agent, worker
):
    """The limit includes what the service worker caches."""
    agent.request_approval(user)
    visit = first_view(tab, f"{server.url}/", worker=worker)
    paths = {url.removeprefix(server.url) for url in visit.loaded}
    assert paths >= {"/", "/style.css", "/passkey.js", "/api/feed/ticket"}
    assert ("/service-worker.js#worker" in paths) is worker
    assert visit.loaded[f"{server.url}/"] > 1_000
    assert visit.asked == {f"localhost:{server.port}"}
    assert visit.loaded.get(f"{server.url}/style.css#worker", 0) < 1_000, "it was sent a moment ago"
    assert visit.bytes < 100_000


def _id(tab: Chromium) -> str:
    """Return the ID of the open request."""
    request_id: str = tab.see("document.getElementById('request')?.dataset.id")
    return request_id


def _state(server: LiveServer, tab: Chromium) -> State:
    """Return the state of the open request in the database."""
    with server.services.store.read() as view:
        approval = view.approvals.get(_id(tab))
    assert approval is not None
    return approval.state


@pytest.mark.parametrize("width", [1200, 360, 320])
def test_the_whole_one_time_code_is_visible_where_it_is_typed(server, tab, width):
    """The user can compare the whole code with its source."""
    _, code = server.user()
    tab.look(width=width, height=760)
    tab.open(f"{server.url}/enroll")
    tab.ask(f"document.querySelector('#code').value = '{code}'")
    assert tab.ask("document.querySelector('#code').scrollWidth") == tab.ask(
        "document.querySelector('#code').clientWidth"
    )
