"""What a page says after an answer, and what it lets a person take back."""

import pytest

from server.services.policy.policies import Policies
from tests.support.builders.callers import new_person
from tests.support.builders.installation import BY
from tests.support.builders.passkey import new_browser
from tests.support.builders.person_pages import get, post
from tests.support.builders.policies import rule


@pytest.fixture
def browser(local):
    """Eva, whose only device is a passkey."""
    return new_browser(local)


def _approved(browser, agent):
    handle, approval = agent.asked(login_hint="eva")
    browser.approve(approval.id)
    return handle, approval


def test_what_waits_is_answered_at_its_own_page(browser, agent):
    """There is nothing to say yet."""
    _, approval = agent.asked(login_hint="eva")
    page = get(browser, f"/done/{approval.id}")
    assert (page.status_code, page.headers["Location"].endswith(f"/r/{approval.id}")) == (303, True)


def test_a_yes_says_that_nobody_has_collected_it_yet(browser, agent):
    """And that nothing else waits."""
    _, approval = _approved(browser, agent)
    page = get(browser, f"/done/{approval.id}").text
    for words in (">Approved</h1>", "Approved by eva on phone", "not collected the token yet"):
        assert words in page
    assert "No other requests are waiting" in page
    assert "Revoke now" not in page


def test_a_no_says_what_the_agent_reads_and_offers_the_next_request(browser, agent):
    """It is not opened by itself."""
    _, approval = agent.asked(login_hint="eva")
    _, other = agent.asked(login_hint="eva")
    browser.deny(approval.id, "too_broad", note="Less, please")
    page = get(browser, f"/done/{approval.id}").text
    assert ">Denied</h1>" in page
    assert "Note to the agent: <q><bdi>Less, please</bdi></q>" in page
    assert f'href="/r/{other.id}"' in page
    assert "refresh" not in page


def test_a_token_that_lives_is_revoked_by_one_press(browser, agent, local):
    """All that came from it is refused from then on; the page says so."""
    handle, approval = _approved(browser, agent)
    token = agent.poll(handle).json["access_token"]
    jti = local.claims(token)["jti"]
    assert "Revoke now" in get(browser, f"/done/{approval.id}").text
    page = post(browser, f"/done/{approval.id}/revoke")
    assert (page.status_code, page.headers["Location"].endswith(f"/done/{approval.id}")) == (
        303,
        True,
    )
    with local.services.store.read() as view:
        assert view.delegations.get(jti).revoked_at is not None
    after = get(browser, f"/done/{approval.id}").text
    assert "is revoked." in after
    assert "Revoke now" not in after


def test_a_form_that_no_page_of_ours_sent_revokes_nothing(browser, agent):
    """And there is no address that revokes by being looked at."""
    handle, approval = _approved(browser, agent)
    agent.poll(handle)
    path = f"/done/{approval.id}/revoke"
    assert post(browser, path, {"csrf": "made up"}).status_code == 403
    assert get(browser, path).status_code == 405
    assert "Revoke now" in get(browser, f"/done/{approval.id}").text


def test_without_a_token_there_is_nothing_to_revoke(browser, agent):
    """Nor of anybody else."""
    _, approval = _approved(browser, agent)
    assert post(browser, f"/done/{approval.id}/revoke").status_code == 404
    handle, other = agent.asked()
    assert get(browser, f"/done/{other.id}").status_code == 404
    assert post(browser, f"/done/{other.id}/revoke").status_code == 404
    assert handle


def test_one_yes_of_several_is_counted(browser, agent, local):
    """It is not over yet."""
    new_person(local, "ben")
    two = rule("ask", "ask.quorum = 2", 'ask.who = ["eva", "ben"]')
    Policies(local.services.store).set(two, by=BY)
    _, approval = agent.asked(login_hint="eva")
    browser.approve(approval.id)
    page = get(browser, f"/done/{approval.id}").text
    assert ">Your approval is counted</h1>" in page
    assert "1 of 2 approvals. Waiting for the others." in page
