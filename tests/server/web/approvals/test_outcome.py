"""The outcome page after a decision, and revoking from it."""

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


def _approve(browser, agent):
    handle, approval = agent.request_approval(login_hint="eva")
    browser.approve(approval.id)
    return handle, approval


def test_a_pending_request_redirects_to_its_own_page(browser, agent):
    """A pending request has no outcome yet, so the outcome page redirects to the request."""
    _, approval = agent.request_approval(login_hint="eva")
    page = get(browser, f"/done/{approval.id}")
    assert (page.status_code, page.headers["Location"].endswith(f"/r/{approval.id}")) == (303, True)


def test_an_approval_page_states_that_the_token_is_not_collected_yet(browser, agent):
    """The page also says that no other requests are waiting, and offers no revocation."""
    _, approval = _approve(browser, agent)
    page = get(browser, f"/done/{approval.id}").text
    for words in (">Approved</h1>", "Approved by eva on phone", "not collected the token yet"):
        assert words in page
    assert "No other requests are waiting" in page
    assert "Revoke now" not in page


def test_a_denial_page_shows_the_note_and_links_to_the_next_request(browser, agent):
    """The next request is only linked; the page does not open it automatically."""
    _, approval = agent.request_approval(login_hint="eva")
    _, other = agent.request_approval(login_hint="eva")
    browser.deny(approval.id, "too_broad", note="Less, please")
    page = get(browser, f"/done/{approval.id}").text
    assert ">Denied</h1>" in page
    assert "Note to the agent: <q><bdi>Less, please</bdi></q>" in page
    assert f'href="/r/{other.id}"' in page
    assert "refresh" not in page


def test_a_live_token_is_revoked_with_one_press(browser, agent, local):
    """Everything issued from the token is revoked too, and the page says so."""
    handle, approval = _approve(browser, agent)
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


def test_a_forged_form_cannot_revoke(browser, agent):
    """A wrong CSRF token gets 403 and a GET gets 405; the token stays live."""
    handle, approval = _approve(browser, agent)
    agent.poll(handle)
    path = f"/done/{approval.id}/revoke"
    assert post(browser, path, {"csrf": "made up"}).status_code == 403
    assert get(browser, path).status_code == 405
    assert "Revoke now" in get(browser, f"/done/{approval.id}").text


def test_a_request_without_a_token_has_nothing_to_revoke(browser, agent):
    """Without a token the form gets 404, as does the token of another user's request."""
    _, approval = _approve(browser, agent)
    assert post(browser, f"/done/{approval.id}/revoke").status_code == 404
    handle, other = agent.request_approval()
    assert get(browser, f"/done/{other.id}").status_code == 404
    assert post(browser, f"/done/{other.id}/revoke").status_code == 404
    assert handle


def test_one_of_two_required_approvals_is_counted(browser, agent, local):
    """After one of two approvals the page says that the request needs the other approver."""
    new_person(local, "ben")
    two = rule("ask", "ask.quorum = 2", 'ask.who = ["eva", "ben"]')
    Policies(local.services.store).set(two, by=BY)
    _, approval = agent.request_approval(login_hint="eva")
    browser.approve(approval.id)
    page = get(browser, f"/done/{approval.id}").text
    assert ">Your approval was counted</h1>" in page
    assert "1 of 2 approved, needs <bdi>ben</bdi>." in page
