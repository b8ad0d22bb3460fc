"""The words for a request's outcome come from one table that every page uses."""

import pytest

from server.protocol.approvals.states import State
from server.web.approvals.outcomes import OUTCOMES, By, outcome_of
from tests.support.builders.clock import HOUR
from tests.support.builders.installation import BY
from tests.support.builders.passkey import new_browser
from tests.support.builders.person_pages import get


def _answer_by(by):
    given = {By.GRANT: {"standing_grant": "g", "use": 1}, By.CONSENT: {"consent": "c"}}
    return {"decided": {"decision": "approve"} if by is By.PERSON else None} | (
        {"decided_by": given[by]} if by in given else {}
    )


@pytest.mark.parametrize(("state", "by"), OUTCOMES, ids=lambda member: member.value)
def test_each_outcome_of_the_api_has_its_words(state, by):
    """Every approved request starts with "approved"; a standing grant is named if it answered."""
    words = outcome_of({"state": state.value, **_answer_by(by)})
    assert words == OUTCOMES[state, by]
    if state not in {State.PENDING, State.DENIED} and by is not By.NOBODY:
        assert words.startswith("approved")
        assert ("standing grant" in words) == (by is By.GRANT)


def test_every_possible_outcome_has_words():
    """The table covers every combination, so that no page fails on an unexpected one."""
    assert set(OUTCOMES) == {(state, by) for state in State for by in By}


@pytest.fixture
def browser(local):
    """Eva, whose only device is a passkey."""
    return new_browser(local)


@pytest.mark.parametrize(
    ("ending", "words", "sentence"),
    [
        ("collect", "approved", "The agent collected its token."),
        ("wait", "approved, not collected", "The agent did not collect its token in time."),
        ("disable", "approved, then withdrawn", "It was withdrawn before it was used"),
    ],
)
def test_an_approval_is_shown_as_one_after_expiry_or_withdrawal(
    browser, agent, local, ending, words, sentence
):
    """The history, the receipt and the request page all show how an approval ended."""
    handle, approval = agent.request_approval(login_hint="eva", requested_expiry="60")
    assert browser.approve(approval.id).status == 200
    if ending == "collect":
        assert agent.poll(handle).status == 200
    elif ending == "wait":
        local.clock.forward(HOUR)
        local.services.sweeper.round()
    else:
        local.admin.agents.disable(agent.id, by=BY)
    assert f"{words}</span>" in get(browser, "/history").text
    receipt = get(browser, f"/receipt/{approval.id}").text
    assert f"{words.capitalize()} by <bdi>eva</bdi>" in receipt
    page = get(browser, f"/r/{approval.id}").text
    assert "Approved by eva on" in page
    assert sentence in page
