"""Narrowing, standing grants, reports and retries in a browser."""

import hashlib
import json
from collections.abc import Iterator

import pytest

from server.services.policy.action_types import ActionTypes
from tests.support.browsers.chromium import Chromium, stranger
from tests.support.browsers.first_sign_in import enroll
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import PAYMENT
from tests.support.clients.agent import Agent
from tests.support.servers.server import BY, LiveServer

NARROWABLE = {**PAYMENT, "narrow": {"/amount": "lower"}, "amount": "/amount"}


@pytest.fixture(scope="module")
def user(server: LiveServer) -> tuple[str, str]:
    """A user, and a code for their browser."""
    ActionTypes(server.services.store).update(json.dumps(NARROWABLE), by=BY)
    return server.user()


@pytest.fixture(scope="module")
def opened(server: LiveServer, browser: Chromium, user: tuple[str, str]) -> Iterator[Chromium]:
    """The user's browser, which all tests of this file share."""
    with stranger(browser) as tab:
        tab.add_passkey_holder()
        tab.look(width=1200, height=1800)  # every fact is seen without scrolling
        enroll(tab, server, user[1])
        yield tab


@pytest.fixture
def mine(opened: Chromium) -> Iterator[Chromium]:
    """The shared browser; errors in its console fail the test."""
    opened.events.clear()
    yield opened
    assert opened.complaints() == []


def _open(server: LiveServer, tab: Chromium, handle: str) -> None:
    """Open the request with this handle."""
    with server.services.store.read() as view:
        approval = view.approvals.by_handle(hashlib.sha256(handle.encode()).digest())
    assert approval is not None
    tab.open(f"{server.url}/r/{approval.id}")


def test_a_request_is_narrowed_compared_signed_and_redeemed(
    server: LiveServer, mine: Chromium, user: tuple[str, str], agent: Agent
) -> None:
    """The token has the smaller amount and says that it was narrowed."""
    handle = agent.ask_payment(user[0]).json()["auth_req_id"]
    _open(server, mine, handle)
    mine.click(".bar a")
    mine.wait_for_text("Approve with limits")
    mine.type("[name='fact.0']", "500")
    mine.click(".less button")
    mine.wait_for_text("do this once, with limits")
    assert "EUR 500.00" in mine.text(".differences")
    mine.click("#approve-now")
    mine.wait_for_text("Approved by")
    tokens = agent.poll(handle).json()
    assert tokens["narrowed"] is True
    assert tokens["authorization_details"][0]["amount"]["minor"] == 50_000


def test_a_denial_names_another_user_and_keeps_a_private_note(
    server: LiveServer, mine: Chromium, user: tuple[str, str], agent: Agent
) -> None:
    """The fields of a deny reason appear only with that reason."""
    handle = agent.request_approval(user[0])
    _open(server, mine, handle)
    mine.click("#to-deny")
    assert mine.ask("document.getElementById('ask').checkVisibility()") is False
    mine.click("input[value=wait_until]")
    mine.ask("document.getElementById('retry-at').value = '2100-01-01T00:00'")
    mine.click("input[value=ask_other]")
    mine.type("#ask", "admin")
    mine.type("#private-note", "They know the supplier")
    mine.click("#no button[type=submit]")
    mine.wait_for_text("Denied by")
    reply = agent.poll(handle).json()
    assert (reply["deny_code"], reply["retry"]) == ("ask_other", "redirected")
    assert "supplier" not in json.dumps(reply)


def test_a_year_of_five_digits_is_refused_at_its_field(
    server: LiveServer, mine: Chromium, user: tuple[str, str], agent: Agent
) -> None:
    """JavaScript cannot read such a date, so nothing could be sent."""
    _open(server, mine, agent.request_approval(user[0]))
    mine.click("#to-deny")
    mine.click("input[value=wait_until]")
    mine.ask("document.getElementById('retry-at').value = '20260-01-01T00:00'")
    mine.click("#no button[type=submit]")
    mine.see("document.getElementById('retry-at').validity.rangeOverflow")
    mine.see("document.activeElement.id === 'retry-at'")


def test_a_report_is_signed_and_states_what_it_quarantined(
    server: LiveServer, mine: Chromium, user: tuple[str, str], agent: Agent
) -> None:
    """The agent is told only that it may not act."""
    handle = agent.request_approval(user[0])
    _open(server, mine, handle)
    mine.click(".report")
    mine.wait_for_text("Report this request")
    mine.click("input[value=agent]")
    mine.type("#note", "Who is this?")
    mine.click("#report button[type=submit]")
    mine.wait_for_text("1 agent was quarantined")
    assert agent.poll(handle).status_code == 400


def test_a_request_covered_by_a_new_standing_grant_is_not_asked(
    server: LiveServer, mine: Chromium, user: tuple[str, str], agent: Agent
) -> None:
    """The user sets limits, sees a preview, and signs the request that creates the grant."""
    handle = agent.request_approval(user[0])
    _open(server, mine, handle)
    mine.click("a[href$='/similar']")
    mine.click("input[value='3600']")
    mine.type("#uses", "1")
    mine.click("button[value=preview]")
    mine.wait_for_text("It would have covered 1 of the last 1")
    mine.click("button[value=open]")
    mine.click("#to-approve")
    mine.click("#approve-now")
    mine.wait_for_text("Approved by")
    assert agent.poll(agent.request_approval(user[0])).json()["token_type"] == "Bearer"
    assert (
        agent.poll(agent.request_approval(user[0])).status_code == 400
    )  # the first request consumed the only use


def test_a_late_user_asks_the_agent_to_retry_with_one_button(
    server: LiveServer, mine: Chromium, user: tuple[str, str], agent: Agent
) -> None:
    """The page of the expired request confirms it."""
    handle = agent.request_approval(user[0], requested_expiry="60")
    server.clock.forward(MINUTE)
    _open(server, mine, handle)
    mine.wait_for_text("Expiring isn't a denial; the agent can retry.")
    mine.click("#retry")
    mine.wait_for_text("Expiring isn't a denial; its agent was told to retry.")
    assert agent.poll(handle).json()["retry"] == "wanted"
