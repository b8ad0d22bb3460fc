"""An answer is what the person saw, signed by the right key, and never a guess."""

from dataclasses import replace

import pytest

from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.client.errors import (
    AlreadyDecided,
    ApiError,
    Changed,
    PinNeeded,
    UnknownOutcome,
    Unreachable,
    WrongPin,
)
from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.approvals.decision import DenyCode
from approver_tui.state.incidents.reports import ReportScope
from tests.approver_tui.client.conftest import PIN
from tests.support.builders.approval_texts import wire_approval


@pytest.fixture
def decider(client):
    """A person at an enrolled, locked terminal."""
    return DecisionClient(client)


def asked(server, client, risk="medium"):
    """Something that waits, as the client lists it: without a nonce."""
    server.add(wire_approval(number=len(server.approvals) + 1, risk=risk, now=server.now()))
    return client.inbox().items[-1]


def test_an_unlocked_app_confirms(decider, client, server):
    """Medium risk in an unlocked app takes no second PIN."""
    approval = asked(server, client)
    decider.unlock(PIN)
    calls = len(server.pin_calls)
    done = decider.approve(approval, fingerprint=approval.fingerprint)
    assert done.state is ApprovalState.APPROVED
    assert len(server.pin_calls) == calls


@pytest.mark.parametrize("risk", ["medium", "high"])
def test_a_locked_app_asks_for_the_pin(decider, client, server, risk):
    """Nothing is sent before the PIN."""
    approval = asked(server, client, risk)
    with pytest.raises(PinNeeded):
        decider.approve(approval, fingerprint=approval.fingerprint)
    assert server.approvals[approval.id]["state"] == "pending"


def test_high_risk_takes_the_pin_even_when_unlocked(decider, client, server):
    """The high key is opened for this approval alone, and the PIN call names it."""
    approval = asked(server, client, "high")
    decider.unlock(PIN)
    with pytest.raises(PinNeeded):
        decider.approve(approval, fingerprint=approval.fingerprint)
    done = decider.approve(approval, fingerprint=approval.fingerprint, pin=PIN)
    assert done.state is ApprovalState.APPROVED
    assert server.pin_calls[-1] == approval.id


def test_a_pin_is_enough_without_unlocking(decider, client, server):
    """A command line has no unlocked app; the PIN ceremony stands for it at low risk too."""
    approval = asked(server, client, "low")
    assert decider.approve(approval, fingerprint=approval.fingerprint, pin=PIN).decided
    assert not decider.is_unlocked


def test_a_wrong_pin_approves_nothing(decider, client, server):
    """It costs a try and nothing else."""
    approval = asked(server, client, "high")
    with pytest.raises(WrongPin):
        decider.approve(approval, fingerprint=approval.fingerprint, pin="wrong horse")
    assert server.approvals[approval.id]["state"] == "pending"


def test_a_copy_that_does_not_verify_any_more_is_not_answered(decider, client, server):
    """The request was good when it was listed; nothing is signed and nothing was sent."""
    approval = asked(server, client)
    row = server.approvals[approval.id]
    row["display"] = row["display"].replace("4,820", "9,820")
    with pytest.raises(Changed, match="can no longer be verified: display"):
        decider.approve(approval, fingerprint=approval.fingerprint, pin=PIN)
    with pytest.raises(Changed):
        decider.deny(approval, DenyCode.SUSPICIOUS)
    assert (row["state"], server.pin_calls) == ("pending", ["session"])


def test_a_denial_takes_no_pin_and_carries_its_reason(decider, client, server):
    """The session key signs what removes power."""
    approval = asked(server, client, "high")
    done = decider.deny(approval, DenyCode.WRONG_DETAILS, "Which invoice?")
    assert done.state is ApprovalState.DENIED
    assert (done.decided.code, done.decided.note) == (DenyCode.WRONG_DETAILS, "Which invoice?")
    assert server.pin_calls == ["session"]


def test_another_fingerprint_approves_nothing(decider, client, server):
    """The person looked at something else."""
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
def test_what_contradicts_itself_is_not_signed(decider, client, server, change):
    """Texts, digests, id and person are compared again right before the signature."""
    changed = change(client.approval(asked(server, client).id))
    with pytest.raises(Changed):
        decider.approve(changed, fingerprint=changed.fingerprint, pin=PIN)
    assert server.pin_calls == ["session"]


def test_a_request_that_changed_since_it_was_shown_is_not_signed(decider, client, server):
    """The server may not slip another action under the same id."""
    approval = asked(server, client)
    server.approvals[approval.id] = wire_approval(number=1, now=server.now())
    with pytest.raises(Changed):
        decider.approve(approval, fingerprint=approval.fingerprint, pin=PIN)
    assert server.approvals[approval.id]["state"] == "pending"


def test_the_slower_device_learns_who_won(decider, client, server):
    """First decision wins; the loser gets the winner's."""
    approval = asked(server, client)
    decider.unlock(PIN)
    server.decide_elsewhere(approval.id)
    with pytest.raises(AlreadyDecided) as caught:
        decider.approve(approval, fingerprint=approval.fingerprint)
    assert caught.value.approval.decided.device_name == "desktop"


def test_an_expired_request_says_so(decider, client, server):
    """Expired is not denied."""
    approval = asked(server, client)
    server.approvals[approval.id]["state"] = "expired"
    with pytest.raises(AlreadyDecided) as caught:
        decider.deny(approval, DenyCode.NOT_NEEDED)
    assert caught.value.approval.state is ApprovalState.EXPIRED


def test_a_lost_receipt_is_asked_for(decider, client, server):
    """The decision was taken and its answer lost: the fact is fetched, not assumed."""
    approval = asked(server, client)
    server.faults.lose_answer_to.add("/decision")
    done = decider.deny(approval, DenyCode.NOT_NEEDED)
    assert done.state is ApprovalState.DENIED


def test_a_lost_request_is_sent_again(decider, client, server):
    """The server says it still waits, so the same signed bytes go out once more."""
    approval = asked(server, client)
    server.faults.drop_request_to.add("/decision")
    assert decider.deny(approval, DenyCode.NOT_NEEDED).state is ApprovalState.DENIED


def test_a_lost_receipt_and_another_winner(decider, client, server):
    """If somebody else's answer holds, it is not reported as ours."""
    approval = client.approval(asked(server, client).id)
    server.decide_elsewhere(approval.id, "deny")
    server.faults.drop_request_to.add("/decision")
    with pytest.raises(AlreadyDecided):
        decider.deny(approval, DenyCode.NOT_NEEDED)


def test_an_outcome_nobody_can_tell_is_called_unknown(decider, client, server):
    """Sent, lost, and the server silent since: neither approved nor failed."""
    approval = client.approval(asked(server, client).id)
    server.faults.lose_answer_to |= {"/decision", approval.id}
    with pytest.raises(UnknownOutcome) as caught:
        decider.deny(approval, DenyCode.NOT_NEEDED)
    assert caught.value.approval_id == approval.id


@pytest.mark.parametrize("fault", ["lose_answer_to", "drop_request_to"])
def test_a_lost_report_is_sent_once_more(decider, client, server, fault):
    """The same bytes; the server answers the same incident however often it gets them."""
    approval = asked(server, client)
    getattr(server.faults, fault).add("/report")
    done = decider.report(approval, ReportScope.AGENT)
    assert done.approval.state is ApprovalState.DENIED
    assert len(server.reports) == (2 if fault == "lose_answer_to" else 1)


def test_a_report_that_is_refused_is_not_sent_again(decider, client, server):
    """Nothing is unknown about it."""
    approval = client.approval(asked(server, client).id)
    server.approvals.clear()
    with pytest.raises(ApiError) as caught:
        decider.report(approval, ReportScope.AGENT)
    assert caught.value.status == 404


def test_a_report_of_something_else_than_was_seen_is_not_signed(decider, client, server):
    """Its texts changed under the person's eyes."""
    approval = asked(server, client)
    other = wire_approval(number=7, risk="high", now=server.now())
    server.approvals[approval.id] |= {
        name: other[name] for name in ("action", "display", "action_digest", "display_digest")
    }
    with pytest.raises(Changed):
        decider.report(approval, ReportScope.AGENT)
    assert server.reports == []


def test_a_server_that_is_not_there_got_nothing(decider, client, server):
    """A connection that was never made changed nothing, and says so."""
    approval = client.approval(asked(server, client).id)
    client.session.transport._http.close()
    client.session.transport._http = type(client.session.transport._http)(
        base_url="http://localhost:1", trust_env=False
    )
    with pytest.raises(Unreachable) as caught:
        decider.deny(approval, DenyCode.NOT_NEEDED)
    assert not caught.value.was_sent


@pytest.mark.parametrize("verb", ["unlock", "vouch"])
def test_another_device_is_helped_by_the_high_key(decider, client, server, verb):
    """It adds power, so it takes the PIN; the statement names the other device."""
    other = next(device for device in client.devices() if not device.is_this)
    helped = getattr(decider, f"{verb}_device")(other, PIN)
    assert helped.id == other.id
    assert (server.statements, server.pin_tries) == ([verb], 0)


def test_a_device_from_the_feed_is_looked_up_first(decider, client):
    """Without the server's nonce there is nothing to sign."""
    other = replace(client.devices()[1], nonce=None)
    with pytest.raises(Changed):
        decider.vouch_device(other, PIN)
