"""An answer without a confirmation is in doubt until the server reports its outcome."""

import httpx
import pytest

from approver_tui.client import errors
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.client.transport import exchange
from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.approvals.decision import Answer, DenyCode
from tests.approver_tui.client.conftest import PIN
from tests.support.builders.approval_texts import USER, wire_approval
from tests.support.builders.multi_approver import a_vote, of_two


@pytest.fixture
def decider(client):
    """Return the decision client of an enrolled terminal."""
    return DecisionClient(client)


@pytest.fixture
def doubtful_id(decider, client, server):
    """Return the ID of a request whose denial and the query for its outcome were both lost."""
    server.add(wire_approval(now=server.now()))
    approval = client.approval(client.inbox().items[-1].id)
    server.faults.drop_request_to |= {"/decision", approval.id}
    with pytest.raises(errors.UnknownOutcome) as caught:
        decider.deny(approval, DenyCode.NOT_NEEDED)
    assert (caught.value.approval_id, caught.value.answer) == (approval.id, Answer.DENY)
    return approval.id


def test_an_open_request_gets_the_answer_again(decider, server, doubtful_id):
    """An open request does not prove that the answer was lost, so the same answer is sent again."""
    assert decider.check_outcome(doubtful_id).state is ApprovalState.DENIED
    assert server.approvals[doubtful_id]["state"] == "denied"


def test_an_answer_stays_in_doubt_while_the_server_is_silent(decider, server, doubtful_id):
    """The answer stays in doubt if the query or the second attempt is lost."""
    for lost in ({doubtful_id}, {"/decision"}):
        server.faults.drop_request_to |= lost
        with pytest.raises(errors.UnknownOutcome):
            decider.check_outcome(doubtful_id)
    assert decider.check_outcome(doubtful_id).state is ApprovalState.DENIED


def test_a_recorded_answer_is_ours(decider, server, doubtful_id):
    """If the server has recorded the answer, the client reports it as its own."""
    server.faults.lose_answer_to |= {"/decision"}
    with pytest.raises(errors.UnknownOutcome):
        decider.check_outcome(doubtful_id)
    assert decider.check_outcome(doubtful_id).state is ApprovalState.DENIED


def test_a_different_decision_in_the_meantime_is_not_ours(decider, server, doubtful_id):
    """If somebody else decided in the meantime, the error says that it is already decided."""
    server.decide_elsewhere(doubtful_id, "approve")
    with pytest.raises(errors.AlreadyDecided):
        decider.check_outcome(doubtful_id)


@pytest.mark.parametrize("end", ["approved", "cancelled"])
@pytest.mark.parametrize("is_counted", [True, False])
def test_only_a_vote_that_counts_is_ours_after_the_end(decider, client, server, is_counted, end):
    """The request ended before this client could ask for the outcome of its vote."""
    server.add(wire_approval(now=server.now(), outer=of_two()))
    approval = client.approval(client.inbox().items[-1].id)
    decider.unlock(PIN)
    server.faults.drop_request_to |= {"/decision", approval.id}
    with pytest.raises(errors.UnknownOutcome):
        decider.approve(approval, fingerprint=approval.fingerprint)
    server.approvals[approval.id] |= of_two(a_vote(USER, "alice", counts=is_counted), a_vote())
    if end == "approved":
        server.decide_elsewhere(approval.id, "approve")
    server.approvals[approval.id]["state"] = end
    if is_counted:
        assert decider.check_outcome(approval.id).state is ApprovalState(end)
        return
    with pytest.raises(errors.AlreadyDecided):
        decider.check_outcome(approval.id)


def test_a_later_accepted_answer_replaces_one_in_doubt(client, decider, doubtful_id, monkeypatch):
    """The request may stay open for other approvers; the earlier answer must not change it."""
    sent = []
    waiting = client.approval(doubtful_id)

    def accept(_approval_id, signed, *_arguments):
        sent.append(signed)
        return waiting

    monkeypatch.setattr(client, "decide", accept)
    decider.deny(waiting, DenyCode.NOT_NEEDED)
    decider.check_outcome(doubtful_id)
    assert len(sent) == 1


REFUSALS = [
    (errors.ApiError("invalid_decision", 422, "Too old."), errors.NotRecorded),
    (errors.ApiError("request_locked", 423, "Locked."), errors.ApiError),
    (errors.ApiError("forbidden", 403, "No."), errors.ApiError),
    (errors.ApiError("server_error", 500, "A fault."), errors.UnknownOutcome),
    (errors.ApiError("unavailable", 503, "Busy."), errors.UnknownOutcome),
    (errors.LoginFirst("Signed out."), errors.UnknownOutcome),
]


@pytest.mark.parametrize(
    ("refusal", "raised"), REFUSALS, ids=[refusal.code for refusal, _ in REFUSALS]
)
def test_a_refusal_of_the_same_bytes_ends_the_doubt(
    client, decider, doubtful_id, monkeypatch, refusal, raised
):
    """A refusal means that nothing was recorded. After a server error, it is still unknown."""

    def refuse(*_arguments):
        raise refusal

    monkeypatch.setattr(client, "decide", refuse)
    with pytest.raises(raised):
        decider.check_outcome(doubtful_id)


FAILURES = [
    (httpx.ConnectError("refused"), False),
    (httpx.ConnectTimeout("no route"), False),
    (httpx.PoolTimeout("busy"), False),
    (httpx.ProxyError("no tunnel"), False),
    (httpx.WriteError("broke"), True),
    (httpx.WriteTimeout("slow"), True),
    (httpx.ReadError("reset"), True),
    (httpx.ReadTimeout("silent"), True),
    (httpx.RemoteProtocolError("closed"), True),
]


@pytest.mark.parametrize(("failure", "was_sent"), FAILURES, ids=lambda value: type(value).__name__)
def test_only_an_answer_that_never_left_counts_as_not_sent(failure, was_sent):
    """Only a failure before the first byte means that the server did not get the answer."""

    def fail(_request):
        raise failure

    http = httpx.Client(transport=httpx.MockTransport(fail), base_url="http://x")
    with http, pytest.raises(errors.Unreachable) as caught:
        exchange(http, http.build_request("POST", "/"))
    assert caught.value.was_sent is was_sent
