"""Reporting a request in a browser: the choices, and the signature that quarantines."""

import pytest

from server.protocol.approvals.states import State
from tests.support.builders.passkey import LocalBrowser, SoftPasskey, enrollment_code, new_browser
from tests.support.builders.person_pages import get, post

REPORT_DENIAL = {"decision": "deny", "code": "suspicious", "ceremony": "none"}


@pytest.fixture
def browser(local):
    """Eva, whose only device is a passkey."""
    return new_browser(local)


def _report(browser, approval_id, **members):
    decision = browser.decision(approval_id, **{**REPORT_DENIAL, **members.pop("said", {})})
    body = {"decision": decision, **members}
    return browser.send("POST", f"/api/approvals/{approval_id}/report", body)


def _agent_state(local, agent):
    with local.services.store.read() as view:
        return view.directory.agent(agent.id).state


def test_each_report_choice_states_its_effect(browser, agent, local):
    """No choice is preselected, and opening the page changes nothing."""
    _, approval = agent.request_approval(login_hint="eva")
    page = get(browser, f"/r/{approval.id}/report").text
    for words in (
        "This request",
        "No agent is quarantined",
        "This agent",
        "It is quarantined: its tokens and requests end, for everyone.",
        "Every agent acting for me",
        "Only an administrator can release it.",
    ):
        assert words in page
    assert page.count('type="radio" name="scope"') == 3
    assert "checked" not in page
    assert local.stored_approval(approval.id).state is State.PENDING
    assert _agent_state(local, agent) == "enabled"


def test_a_signed_report_quarantines_the_agent(browser, agent, local):
    """The report also denies the request."""
    _, approval = agent.request_approval(login_hint="eva")
    reply = _report(browser, approval.id, scope="agent", note="Who is this?")
    assert reply.status == 200
    assert reply.json["agents"][0]["state"] == "quarantined"
    assert local.stored_approval(approval.id).state is State.DENIED
    assert _agent_state(local, agent) == "quarantined"


def test_the_cookie_alone_cannot_quarantine(browser, agent, local):
    """A report needs the passkey's signature on a denial of this request as suspicious."""
    _, approval = agent.request_approval(login_hint="eva")
    path = f"/api/approvals/{approval.id}/report"
    nothing = browser.send("POST", path, {"decision": "a.b.c.d.e", "scope": "agent"})
    assert nothing.refusal == (422, "invalid_decision")
    other = _report(browser, approval.id, said={"code": "not_needed"})
    assert other.refusal == (422, "invalid_decision")
    from_elsewhere = browser.send("POST", path, {}, {"sec-fetch-site": "cross-site"})
    assert from_elsewhere.refusal == (403, "forbidden")
    assert _agent_state(local, agent) == "enabled"


def test_a_decided_request_can_be_reported_but_not_denied_again(browser, agent):
    """A decided request no longer has the choice to report this request alone."""
    _, approval = agent.request_approval(login_hint="eva")
    browser.approve(approval.id)
    page = get(browser, f"/r/{approval.id}/report").text
    assert page.count('type="radio" name="scope"') == 2
    assert "No agent is quarantined" not in page
    assert _report(browser, approval.id, scope="agent").json["approval"]["state"] == "cancelled"


def test_a_request_without_an_agent_is_reported_to_administrators_only(person, agent, local):
    """A report about a standing grant that the user proposed quarantines no agent."""
    browser = LocalBrowser(local, person.user, SoftPasskey())
    browser.enroll(enrollment_code(local, "ana"))
    _, approval = agent.request_approval()
    proposal = {"approval": approval.id, "seconds": 900, "uses": 1}
    offered = person.call("POST", "/api/grants", proposal).json
    page = get(browser, f"/r/{offered['id']}/report").text
    assert "This request, and notify the administrators" in page
    assert "Every agent acting for me" not in page


def test_another_users_request_cannot_be_reported(browser, agent):
    """The page answers 404, and the server has no form handler at its address."""
    _, approval = agent.request_approval()
    page = get(browser, f"/r/{approval.id}/report")
    assert page.status_code == 404
    assert post(browser, f"/r/{approval.id}/report").status_code == 405
