"""An answer signs what the user saw, with the right key."""

from dataclasses import replace
from unittest.mock import Mock

import pytest

from approver_tui.client import errors
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.state.answer_status import AnswerStatus
from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.approvals.decision import Answer, DenyCode
from approver_tui.state.incidents.reports import ReportScope
from tests.approver_tui.client.conftest import PIN
from tests.support.builders.approval_texts import USER, wire_approval
from tests.support.builders.multi_approver import a_vote, of_two


@pytest.fixture
def decider(client):
    """Return the decision client of an enrolled, locked terminal."""
    return DecisionClient(client)


def add_request(server, client, risk="medium"):
    """Add a waiting request and return it as the client lists it, without a nonce."""
    server.add(wire_approval(number=len(server.approvals) + 1, risk=risk, now=server.now()))
    return client.inbox().items[-1]


def test_an_unlocked_app_approves_without_the_pin(decider, client, server):
    """While the app is unlocked, a medium-risk approval makes no further PIN call."""
    approval = add_request(server, client)
    decider.unlock(PIN)
    calls = len(server.pin_calls)
    done = decider.approve(approval, fingerprint=approval.fingerprint)
    assert done.state is ApprovalState.APPROVED
    assert len(server.pin_calls) == calls


def test_a_withdrawal_is_signed_by_the_session_key(decider, client, server):
    """An outdated nonce in the copy does not matter, and the app stays locked."""
    votes = of_two(a_vote(USER, "alice"))
    server.add(wire_approval(number=1, risk="high", now=server.now(), outer=votes))
    approval, calls = client.inbox().items[-1], len(server.pin_calls)
    done = decider.withdraw(replace(approval, nonce="old"))
    assert (done.state, done.vote_tally.have) == (ApprovalState.PENDING, 0)
    assert done.vote_tally.votes[0].answer is Answer.WITHDRAW
    assert len(server.pin_calls) == calls


@pytest.mark.parametrize("risk", ["medium", "high"])
def test_a_locked_app_needs_the_pin(decider, client, server, risk):
    """While the app is locked, approving without the PIN sends nothing."""
    approval = add_request(server, client, risk)
    with pytest.raises(errors.PinNeeded):
        decider.approve(approval, fingerprint=approval.fingerprint)
    assert server.approvals[approval.id]["state"] == "pending"


def test_high_risk_needs_the_pin_even_when_unlocked(decider, client, server):
    """The PIN opens the high key for one approval only, and the PIN call names that approval."""
    approval = add_request(server, client, "high")
    decider.unlock(PIN)
    with pytest.raises(errors.PinNeeded):
        decider.approve(approval, fingerprint=approval.fingerprint)
    done = decider.approve(approval, fingerprint=approval.fingerprint, pin=PIN)
    assert done.state is ApprovalState.APPROVED
    assert server.pin_calls[-1] == approval.id


def test_the_pin_alone_is_enough(decider, client, server):
    """A command approves with the PIN at low risk too, and the app stays locked."""
    approval = add_request(server, client, "low")
    assert decider.approve(approval, fingerprint=approval.fingerprint, pin=PIN).decision
    assert not decider.is_unlocked


def test_a_wrong_pin_approves_nothing(decider, client, server):
    """After a wrong PIN, the request is still pending."""
    approval = add_request(server, client, "high")
    with pytest.raises(errors.WrongPin):
        decider.approve(approval, fingerprint=approval.fingerprint, pin="wrong horse")
    assert server.approvals[approval.id]["state"] == "pending"


def test_an_unverified_copy_is_not_answered(decider, client, server):
    """If the request was changed after it was listed, nothing is signed or sent."""
    approval = add_request(server, client)
    stored = server.approvals[approval.id]
    stored["display"] = stored["display"].replace("4,820", "9,820")
    with pytest.raises(errors.Changed, match="can no longer be verified: display"):
        decider.approve(approval, fingerprint=approval.fingerprint, pin=PIN)
    with pytest.raises(errors.Changed):
        decider.deny(approval, DenyCode.SUSPICIOUS)
    assert (stored["state"], server.pin_calls) == ("pending", ["session"])


def test_a_denial_needs_no_pin_and_has_its_reason(decider, client, server):
    """The session key signs a denial, because a denial only removes access."""
    approval = add_request(server, client, "high")
    done = decider.deny(approval, DenyCode.WRONG_DETAILS, "Which invoice?")
    assert done.state is ApprovalState.DENIED
    assert (done.decision.code, done.decision.note) == (DenyCode.WRONG_DETAILS, "Which invoice?")
    assert server.pin_calls == ["session"]


def test_a_wrong_fingerprint_approves_nothing(decider, client, server):
    """A wrong fingerprint means that the user read a different request."""
    approval = add_request(server, client)
    with pytest.raises(errors.Changed):
        decider.approve(approval, fingerprint="0000-0000", pin=PIN)
    assert server.approvals[approval.id]["state"] == "pending"


@pytest.mark.parametrize(
    "change",
    [
        lambda a: replace(a, display_text=a.display_text.replace("4,820", "9,820")),
        lambda a: replace(a, action_text=a.action_text.replace("pay", "pax")),
        lambda a: replace(a, id="sayso_ap_zzzzzzzzzzzzzzzz"),
        lambda a: replace(a, display=replace(a.display, user_id="sayso_us_other")),
    ],
    ids=["display", "action", "id", "person"],
)
def test_contradictory_texts_are_not_signed(decider, client, server, change):
    """Texts, digests, ID and user are compared again immediately before signing."""
    changed = change(client.approval(add_request(server, client).id))
    with pytest.raises(errors.Changed):
        decider.approve(changed, fingerprint=changed.fingerprint, pin=PIN)
    assert server.pin_calls == ["session"]


def test_a_request_that_changed_is_not_signed(decider, client, server):
    """The server cannot replace the action of a request under the same ID."""
    approval = add_request(server, client)
    server.approvals[approval.id] = wire_approval(number=1, now=server.now())
    with pytest.raises(errors.Changed):
        decider.approve(approval, fingerprint=approval.fingerprint, pin=PIN)
    assert server.approvals[approval.id]["state"] == "pending"


def test_the_slower_device_gets_the_first_decision(decider, client, server):
    """If another device decided first, the error has that decision."""
    approval = add_request(server, client)
    decider.unlock(PIN)
    server.decide_elsewhere(approval.id)
    with pytest.raises(errors.AlreadyDecided) as caught:
        decider.approve(approval, fingerprint=approval.fingerprint)
    assert caught.value.approval.decision.device_name == "desktop"


def test_an_expired_request_is_reported_as_expired(decider, client, server):
    """A denial that comes too late is reported as expired, not as denied."""
    approval = add_request(server, client)
    server.approvals[approval.id]["state"] = "expired"
    with pytest.raises(errors.AlreadyDecided) as caught:
        decider.deny(approval, DenyCode.NOT_NEEDED)
    assert caught.value.approval.state is ApprovalState.EXPIRED


def test_a_lost_confirmation_is_checked(decider, client, server):
    """If the response is lost, the client fetches the outcome that the server recorded."""
    approval = add_request(server, client)
    server.faults.lose_answer_to.add("/decision")
    done = decider.deny(approval, DenyCode.NOT_NEEDED)
    assert done.state is ApprovalState.DENIED


def test_a_lost_request_is_sent_again(decider, client, server):
    """If the decision never arrived, the client sends the same signed bytes again."""
    approval = add_request(server, client)
    server.faults.drop_request_to.add("/decision")
    assert decider.deny(approval, DenyCode.NOT_NEEDED).state is ApprovalState.DENIED


def test_an_earlier_decision_by_somebody_else_is_not_ours(decider, client, server):
    """The client does not report somebody else's decision as its own."""
    approval = client.approval(add_request(server, client).id)
    server.decide_elsewhere(approval.id, "deny")
    server.faults.drop_request_to.add("/decision")
    with pytest.raises(errors.AlreadyDecided):
        decider.deny(approval, DenyCode.NOT_NEEDED)


def test_an_outcome_that_cannot_be_checked_is_unknown(decider, client, server):
    """The client reports such a decision neither as approved nor as failed."""
    approval = client.approval(add_request(server, client).id)
    server.faults.lose_answer_to |= {"/decision", approval.id}
    with pytest.raises(errors.UnknownOutcome) as caught:
        decider.deny(approval, DenyCode.NOT_NEEDED)
    assert caught.value.approval_id == approval.id


@pytest.mark.parametrize("fault", ["lose_answer_to", "drop_request_to"])
def test_a_report_without_a_confirmation_is_sent_again(decider, client, server, fault):
    """The same bytes are sent again, and the server returns the same incident each time."""
    approval = add_request(server, client)
    getattr(server.faults, fault).add("/report")
    done = decider.report(approval, ReportScope.AGENT)
    assert done.approval.state is ApprovalState.DENIED
    assert len(server.reports) == (2 if fault == "lose_answer_to" else 1)


_UNAVAILABLE = errors.ApiError("unavailable", 503, "The server is busy. Nothing was changed.")


@pytest.mark.parametrize(
    ("first", "raised"),
    [
        (_UNAVAILABLE, errors.ApiError),
        (errors.Unreachable("reset", was_sent=True), errors.UnknownOutcome),
        (errors.ApiError("http_502", 502, "A proxy."), errors.UnknownOutcome),
    ],
    ids=["server", "connection", "proxy"],
)
def test_a_report_that_the_server_could_not_store_is_known(
    decider, client, server, monkeypatch, first, raised
):
    """The outcome is unknown only if the server may have stored the first attempt."""
    approval, failures = add_request(server, client), [first, _UNAVAILABLE]

    def fail(*_):
        raise failures.pop(0)

    monkeypatch.setattr(client, "report", fail)
    with pytest.raises((errors.ApiError, errors.UnknownOutcome)) as caught:
        decider.report(approval, ReportScope.AGENT)
    assert (type(caught.value), failures) == (raised, [])


def test_a_refused_report_is_not_sent_again(decider, client, server):
    """A refusal is a known outcome, so the error is raised immediately."""
    approval = client.approval(add_request(server, client).id)
    server.approvals.clear()
    with pytest.raises(errors.ApiError) as caught:
        decider.report(approval, ReportScope.AGENT)
    assert caught.value.status == 404


def test_a_report_of_a_changed_request_is_not_signed(decider, client, server):
    """A report is refused if the texts changed after the request was shown."""
    approval = add_request(server, client)
    other = wire_approval(number=7, risk="high", now=server.now())
    server.approvals[approval.id] |= {
        name: other[name] for name in ("action", "display", "action_digest", "display_digest")
    }
    with pytest.raises(errors.Changed):
        decider.report(approval, ReportScope.AGENT)
    assert server.reports == []


def test_an_unreachable_server_got_nothing(decider, client, server):
    """If there was no connection, the error says that nothing was sent."""
    approval = client.approval(add_request(server, client).id)
    client.session.transport._http.close()
    client.session.transport._http = type(client.session.transport._http)(
        base_url="http://localhost:1", trust_env=False
    )
    with pytest.raises(errors.Unreachable) as caught:
        decider.deny(approval, DenyCode.NOT_NEEDED)
    assert not caught.value.was_sent


def test_a_lost_fetch_is_not_an_unknown_outcome(decider, client, server):
    """If the fetch of the nonce fails, the error says that no answer was sent."""
    approval = add_request(server, client)
    server.faults.lose_answer_to.add(approval.id)
    with pytest.raises(errors.Unreachable) as caught:
        decider.deny(approval, DenyCode.NOT_NEEDED)
    assert not caught.value.was_sent
    assert server.approvals[approval.id]["state"] == "pending"


def test_a_failed_fetch_is_not_an_unknown_outcome(decider, client, server, monkeypatch):
    """The error has the server's status and means that nothing was recorded."""
    approval = add_request(server, client)
    busy = errors.ApiError("unavailable", 503, "The server is busy.")
    monkeypatch.setattr(client, "approval", Mock(side_effect=busy))
    with pytest.raises(errors.FetchFailed) as caught:
        decider.deny(approval, DenyCode.NOT_NEEDED)
    assert caught.value.status == 503
    assert errors.answer_status(caught.value) is AnswerStatus.NOT_RECORDED


@pytest.mark.parametrize("verb", ["unlock", "vouch"])
def test_helping_another_device_uses_the_high_key(decider, client, server, verb):
    """Helping a device gives it access, so it requires the PIN and names that device."""
    other = next(device for device in client.devices() if not device.is_this)
    updated = getattr(decider, f"{verb}_device")(other, PIN)
    assert updated.id == other.id
    assert (server.statements, server.pin_tries) == ([verb], 0)


def test_a_device_from_the_feed_must_be_fetched_first(decider, client):
    """A device from the feed has no nonce, so there is nothing to sign."""
    other = replace(client.devices()[1], nonce=None)
    with pytest.raises(errors.Changed):
        decider.vouch_device(other, PIN)
