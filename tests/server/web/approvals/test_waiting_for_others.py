"""A request that this person approved and that still needs other approvals."""

import re

import pytest

from server.services.policy.policies import Policies
from tests.support.builders.callers import new_person
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY
from tests.support.builders.passkey import new_browser
from tests.support.builders.person_pages import get
from tests.support.builders.policies import rule


@pytest.fixture
def browser(local):
    """Eva, whose only device is a passkey."""
    return new_browser(local)


@pytest.fixture
def ben(local, browser):
    """Add Ben as the second approver that every request needs."""
    new_user = new_person(local, "ben")
    two = rule("ask", "ask.quorum = 2", f'ask.who = ["{browser.user.name}", "ben"]')
    Policies(local.services.store).set(two, by=BY)
    return new_user


def _rows(page: str) -> tuple[list[str], list[str]]:
    """Return the IDs of requests waiting for the person, and of those waiting for others."""
    mine, _, others = page.partition("Waiting for others</h2>")
    return tuple(re.findall('<li class="row" data-id="(\\w+)"', part) for part in (mine, others))


def test_an_approved_request_is_listed_apart_and_not_counted(browser, agent, ben):
    """The inbox shows how many people approved and which approvers are still needed."""
    first, second = (agent.request_approval(login_hint="eva")[1] for _ in range(2))
    assert set(_rows(get(browser, "/").text)[0]) == {first.id, second.id}
    browser.approve(first.id)
    page = get(browser, "/").text
    assert _rows(page) == ([second.id], [first.id])
    assert "<title>(1) Inbox" in page
    assert "1 of 2 approved, needs <bdi>ben</bdi>" in page
    assert ben.approve(first.id).json["state"] == "approved"
    assert _rows(get(browser, "/").text) == ([second.id], [])


@pytest.mark.usefixtures("ben")
def test_an_approved_request_is_never_offered_as_the_next_one(browser, agent):
    """After approving both requests, the person is told that none are waiting."""
    first, second = (agent.request_approval(login_hint="eva")[1] for _ in range(2))
    browser.approve(first.id)
    browser.approve(second.id)
    page = get(browser, f"/done/{second.id}").text
    assert "Your approval was counted" in page
    assert "1 of 2 approved, needs <bdi>ben</bdi>." in page
    assert "No other requests are waiting." in page


def test_the_page_of_an_approved_request_names_who_is_still_needed(browser, agent, ben, local):
    """The only button withdraws the approval; the final record names everyone who approved."""
    approval = agent.request_approval(login_hint="eva")[1]
    browser.approve(approval.id)
    page = get(browser, f"/r/{approval.id}").text
    assert "Your approval was counted: 1 of 2 approved, needs <bdi>ben</bdi>." in page
    assert page[page.index("<main") :].count("<button") == 1
    assert "Withdraw your approval…</button>" in page
    assert "/voted.js" in page
    local.clock.forward(1_000)
    ben.approve(approval.id)
    receipt = get(browser, f"/receipt/{approval.id}").text
    assert "Approved by <bdi>eva</bdi> and <bdi>ben</bdi>, <time" in receipt
    assert "Approved by eva and ben at <time" in get(browser, f"/r/{approval.id}").text


@pytest.mark.usefixtures("ben")
def test_a_request_waits_again_after_its_vote_became_void(browser, agent, local):
    """If a vote becomes void, the request returns to the inbox with its approve button."""
    approval = agent.request_payment(login_hint="eva")[1]
    browser.approve(approval.id)
    with local.services.store.write() as tx:
        tx.decisions.void(approval.id, tx.now)
    assert _rows(get(browser, "/").text) == ([approval.id], [])
    assert ">Approve…</button>" in get(browser, f"/r/{approval.id}").text


@pytest.mark.usefixtures("ben")
def test_a_request_waits_again_after_its_vote_was_withdrawn(browser, agent):
    """The request page offers a decision again; it and the receipt show the withdrawal."""
    approval = agent.request_approval(login_hint="eva")[1]
    browser.approve(approval.id)
    signed = browser.decision(approval.id, decision="withdraw", ceremony="none")
    withdrawn = browser.answer(approval.id, signed)
    assert withdrawn.status == 200, withdrawn.body
    assert _rows(get(browser, "/").text) == ([approval.id], [])
    page = get(browser, f"/r/{approval.id}").text
    assert ">Approve…</button>" in page
    assert "<bdi>eva</bdi>: withdrew their approval" in page
    assert "<dt>Withdrawn</dt>" in get(browser, f"/receipt/{approval.id}").text


@pytest.mark.usefixtures("ben")
@pytest.mark.parametrize("state", ["expired", "cancelled"])
def test_a_request_that_too_few_people_approved_was_not_approved(browser, agent, local, state):
    """Neither pages nor statistics say that it was approved; pages say how many approved it."""
    approval = agent.request_approval(login_hint="eva")[1]
    browser.approve(approval.id)
    if state == "expired":
        local.clock.forward(approval.expires_at - local.clock.now() + MINUTE)
        local.services.sweeper.round()
    else:
        local.clock.forward(1_000)
        local.admin.agents.disable(agent.id, by=BY)
    shown = get(browser, f"/api/approvals/{approval.id}").json
    assert (shown["state"], shown["decided"]) == (state, None)
    assert (shown["vote_tally"]["have"], shown["vote_tally"]["left"]) == (1, [])
    for path in (f"/r/{approval.id}", f"/receipt/{approval.id}", "/history"):
        page = get(browser, path).text
        assert "pproved by" not in page
        assert "approved, " not in page
        assert re.search("1 of 2 (people )?approved", page)
        assert "not answered" not in page
        assert "Nobody" not in page
    assert _counts_as_approved(local, agent) is False


def test_a_request_that_enough_people_approved_stays_approved(browser, agent, ben, local):
    """If its agent is disabled later, the pages and the statistics still say so."""
    approval = agent.request_approval(login_hint="eva")[1]
    browser.approve(approval.id)
    local.clock.forward(1_000)
    ben.approve(approval.id)
    local.clock.forward(1_000)
    local.admin.agents.disable(agent.id, by=BY)
    assert ben.show(approval.id)["decided"]["by"]["name"] == "ben"
    assert "Approved by eva and ben at <time" in get(browser, f"/r/{approval.id}").text
    assert _counts_as_approved(local, agent) is True


def _counts_as_approved(local, agent) -> bool:
    with local.services.store.read() as view:
        (summary,) = view.approval_statistics.of_agent(agent.id, 0, 10)
    return summary.approved
