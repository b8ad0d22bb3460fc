"""An answer signs what the user saw, with the right key."""

from dataclasses import replace
from unittest.mock import Mock

import pytest

from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.client.errors import (
    AlreadyDecided,
    ApiError,
    Changed,
    FetchFailed,
    PinNeeded,
    UnknownOutcome,
    Unreachable,
    WrongPin,
    answer_status,
)
from approver_tui.state.answer_status import AnswerStatus
from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.approvals.decision import Answer, DenyCode
from approver_tui.state.incidents.reports import ReportScope
from tests.approver_tui.client.conftest import PIN
from tests.support.builders.approval_texts import USER, wire_approval
from tests.support.builders.multi_approver import a_vote, of_two


@pytest.fixture
def decider(client):
    """A person at an enrolled, locked terminal."""
    return DecisionClient(client)


def asked(server, client, risk="medium"):
    """Add a waiting request and return it as the client lists it, without a nonce."""
    server.add(wire_approval(number=len(server.approvals) + 1, risk=risk, now=server.now()))
    return client.inbox().items[-1]


def test_an_unlocked_app_approves_without_the_pin(decider, client, server):
    """The request has medium risk."""
    approval = asked(server, client)
    decider.unlock(PIN)
    calls = len(server.pin_calls)
    done = decider.approve(approval, fingerprint=approval.fingerprint)
    assert done.state is ApprovalState.APPROVED
    assert len(server.pin_calls) == calls


def test_a_withdrawal_is_signed_by_the_session_key(decider, client, server):
    """A copy with an old nonce does not matter, and the app stays locked."""
    votes = of_two(a_vote(USER, "alice"))
    server.add(wire_approval(number=1, risk="high", now=server.now(), outer=votes))
    approval, calls = client.inbox().items[-1], len(server.pin_calls)
    done = decider.withdraw(replace(approval, nonce="old"))
    assert (done.state, done.vote_tally.have) == (ApprovalState.PENDING, 0)
    assert done.vote_tally.votes[0].answer is Answer.WITHDRAW
    assert len(server.pin_calls) == calls


@pytest.mark.parametrize("risk", ["medium", "high"])
def test_a_locked_app_needs_the_pin(decider, client, server, risk):
    """Nothing is sent before the PIN."""
    approval = asked(server, client, risk)
    with pytest.raises(PinNeeded):
        decider.approve(approval, fingerprint=approval.fingerprint)
    assert server.approvals[approval.id]["state"] == "pending"


def test_high_risk_needs_the_pin_even_when_unlocked(decider, client, server):
    """The high key is opened for this approval only, and the PIN call names it."""
    approval = asked(server, client, "high")
    decider.unlock(PIN)
    with pytest.raises(PinNeeded):
        decider.approve(approval, fingerprint=approval.fingerprint)
    done = decider.approve(approval, fingerprint=approval.fingerprint, pin=PIN)
    assert done.state is ApprovalState.APPROVED
    assert server.pin_calls[-1] == approval.id


def test_the_pin_alone_is_enough(decider, client, server):
    """A command line has no unlocked app; it uses the PIN at low risk too."""
    approval = asked(server, client, "low")
    assert decider.approve(approval, fingerprint=approval.fingerprint, pin=PIN).decided
    assert not decider.is_unlocked


def test_a_wrong_pin_approves_nothing(decider, client, server):
    """It costs one attempt."""
    approval = asked(server, client, "high")
    with pytest.raises(WrongPin):
        decider.approve(approval, fingerprint=approval.fingerprint, pin="wrong horse")
    assert server.approvals[approval.id]["state"] == "pending"


def test_an_unverified_copy_is_not_answered(decider, client, server):
    """The request was valid when it was listed; nothing is signed or sent."""
    approval = asked(server, client)
    row = server.approvals[approval.id]
    row["display"] = row["display"].replace("4,820", "9,820")
    with pytest.raises(Changed, match="can no longer be verified: display"):
        decider.approve(approval, fingerprint=approval.fingerprint, pin=PIN)
    with pytest.raises(Changed):
        decider.deny(approval, DenyCode.SUSPICIOUS)
    assert (row["state"], server.pin_calls) == ("pending", ["session"])


def test_a_denial_needs_no_pin_and_has_its_reason(decider, client, server):
    """The session key signs what removes power."""
    approval = asked(server, client, "high")
    done = decider.deny(approval, DenyCode.WRONG_DETAILS, "Which invoice?")
    assert done.state is ApprovalState.DENIED
    assert (done.decided.code, done.decided.note) == (DenyCode.WRONG_DETAILS, "Which invoice?")
    assert server.pin_calls == ["session"]


def test_a_wrong_fingerprint_approves_nothing(decider, client, server):
    """The user looked at something else."""
    approval = asked(server, client)
    with pytest.raises(Changed):
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
    """Texts, digests, ID and user are compared again right before signing."""
    changed = change(client.approval(asked(server, client).id))
    with pytest.raises(Changed):
        decider.approve(changed, fingerprint=changed.fingerprint, pin=PIN)
    assert server.pin_calls == ["session"]


def test_a_request_that_changed_is_not_signed(decider, client, server):
    """The server cannot replace an action under the same ID."""
    approval = asked(server, client)
    server.approvals[approval.id] = wire_approval(number=1, now=server.now())
    with pytest.raises(Changed):
        decider.approve(approval, fingerprint=approval.fingerprint, pin=PIN)
    assert server.approvals[approval.id]["state"] == "pending"


def test_the_slower_device_gets_the_winner(decider, client, server):
    """The first decision counts."""
    approval = asked(server, client)
    decider.unlock(PIN)
    server.decide_elsewhere(approval.id)
    with pytest.raises(AlreadyDecided) as caught:
        decider.approve(approval, fingerprint=approval.fingerprint)
    assert caught.value.approval.decided.device_name == "desktop"


def test_an_expired_request_is_reported_as_expired(decider, client, server):
    """Expired is not denied."""
    approval = asked(server, client)
    server.approvals[approval.id]["state"] = "expired"
    with pytest.raises(AlreadyDecided) as caught:
        decider.deny(approval, DenyCode.NOT_NEEDED)
    assert caught.value.approval.state is ApprovalState.EXPIRED


def test_a_lost_confirmation_is_checked(decider, client, server):
    """The decision was recorded and its response lost: the outcome is fetched."""
    approval = asked(server, client)
    server.faults.lose_answer_to.add("/decision")
    done = decider.deny(approval, DenyCode.NOT_NEEDED)
    assert done.state is ApprovalState.DENIED


def test_a_lost_request_is_sent_again(decider, client, server):
    """The request still waits, so the same signed bytes are sent again."""
    approval = asked(server, client)
    server.faults.drop_request_to.add("/decision")
    assert decider.deny(approval, DenyCode.NOT_NEEDED).state is ApprovalState.DENIED


def test_a_lost_confirmation_with_another_winner_is_not_ours(decider, client, server):
    """Somebody else's answer is not reported as ours."""
    approval = client.approval(asked(server, client).id)
    server.decide_elsewhere(approval.id, "deny")
    server.faults.drop_request_to.add("/decision")
    with pytest.raises(AlreadyDecided):
        decider.deny(approval, DenyCode.NOT_NEEDED)


def test_an_outcome_that_cannot_be_checked_is_unknown(decider, client, server):
    """The client reports it as neither approved nor failed."""
    approval = client.approval(asked(server, client).id)
    server.faults.lose_answer_to |= {"/decision", approval.id}
    with pytest.raises(UnknownOutcome) as caught:
        decider.deny(approval, DenyCode.NOT_NEEDED)
    assert caught.value.approval_id == approval.id


@pytest.mark.parametrize("fault", ["lose_answer_to", "drop_request_to"])
def test_a_report_without_a_confirmation_is_sent_again(decider, client, server, fault):
    """The same bytes; the server returns the same incident each time."""
    approval = asked(server, client)
    getattr(server.faults, fault).add("/report")
    done = decider.report(approval, ReportScope.AGENT)
    assert done.approval.state is ApprovalState.DENIED
    assert len(server.reports) == (2 if fault == "lose_answer_to" else 1)


def test_a_refused_report_is_not_sent_again(decider, client, server):
    """Its outcome is known."""
    approval = client.approval(asked(server, client).id)
    server.approvals.clear()
    with pytest.raises(ApiError) as caught:
        decider.report(approval, ReportScope.AGENT)
    assert caught.value.status == 404


def test_a_report_of_a_changed_request_is_not_signed(decider, client, server):
    """Its texts changed after they were shown."""
    approval = asked(server, client)
    other = wire_approval(number=7, risk="high", now=server.now())
    server.approvals[approval.id] |= {
        name: other[name] for name in ("action", "display", "action_digest", "display_digest")
    }
    with pytest.raises(Changed):
        decider.report(approval, ReportScope.AGENT)
    assert server.reports == []


def test_an_unreachable_server_got_nothing(decider, client, server):
    """If there is no connection, nothing changed, and the error says so."""
    approval = client.approval(asked(server, client).id)
    client.session.transport._http.close()
    client.session.transport._http = type(client.session.transport._http)(
        base_url="http://localhost:1", trust_env=False
    )
    with pytest.raises(Unreachable) as caught:
        decider.deny(approval, DenyCode.NOT_NEEDED)
    assert not caught.value.was_sent


def test_a_lost_copy_is_no_unknown_outcome(decider, client, server):
    """The answer was not sent: only the fetch of its nonce was."""
    approval = asked(server, client)
    server.faults.lose_answer_to.add(approval.id)
    with pytest.raises(Unreachable) as caught:
        decider.deny(approval, DenyCode.NOT_NEEDED)
    assert not caught.value.was_sent
    assert server.approvals[approval.id]["state"] == "pending"


def test_a_failed_fetch_is_no_unknown_outcome(decider, client, server, monkeypatch):
    """The error of the server stays, and means that nothing was recorded."""
    approval = asked(server, client)
    busy = ApiError("unavailable", 503, "The server is busy.")
    monkeypatch.setattr(client, "approval", Mock(side_effect=busy))
    with pytest.raises(FetchFailed) as caught:
        decider.deny(approval, DenyCode.NOT_NEEDED)
    assert caught.value.status == 503
    assert answer_status(caught.value) is AnswerStatus.NOT_RECORDED


@pytest.mark.parametrize("verb", ["unlock", "vouch"])
def test_helping_another_device_uses_the_high_key(decider, client, server, verb):
    """It adds power, so it requires the PIN; the statement names the other device."""
    other = next(device for device in client.devices() if not device.is_this)
    helped = getattr(decider, f"{verb}_device")(other, PIN)
    assert helped.id == other.id
    assert (server.statements, server.pin_tries) == ([verb], 0)


def test_a_device_from_the_feed_must_be_fetched_first(decider, client):
    """There is nothing to sign without the server's nonce."""
    other = replace(client.devices()[1], nonce=None)
    with pytest.raises(Changed):
        decider.vouch_device(other, PIN)
