"""The list of results of a batch."""

from dataclasses import replace

import pytest

from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.results import AnswerState, Results, answer_state, ended_state
from approver_tui.state.text import SafeText
from tests.support.fakes.fake_approvals import an_approval, with_decision
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import DEPLOY, MINUTE

ONE, TWO, THREE = (
    an_approval(name, DEPLOY, expires_in=9 * MINUTE) for name in ("one", "two", "three")
)
FRESH = Results.before_sending(Answer.APPROVE, [ONE, TWO, THREE])
YES, NO = with_decision(ONE, Answer.APPROVE), with_decision(ONE, Answer.DENY)
HERE, ELSEWHERE = YES.decision.device_id, "sayso_dv_cccccccccccccccc"


def test_before_sending_all_answers_are_waiting():
    """The list has a waiting entry for each request, in the order of the requests."""
    assert [item.approval for item in FRESH.items] == [ONE, TWO, THREE]
    assert FRESH.counts == {AnswerState.WAITING: 3}
    assert not FRESH.is_complete


def test_an_update_changes_one_entry():
    """The updated entry has the newest copy and the reason; the other entries do not change."""
    updated = FRESH.with_state(ONE.id, AnswerState.SENDING).with_state(
        ONE.id, AnswerState.ALREADY, SafeText("by bob"), NO
    )
    assert (updated.items[0].approval, updated.items[0].state, updated.items[0].reason) == (
        NO,
        AnswerState.ALREADY,
        "by bob",
    )
    assert updated.items[1:] == FRESH.items[1:]
    assert updated.with_state(TWO.id, AnswerState.UNKNOWN).unknown_ids == (TWO.id,)


def test_the_list_is_complete_when_nothing_more_is_sent():
    """An unknown outcome does not keep the list open."""
    sending = FRESH.with_state(ONE.id, AnswerState.APPROVED).with_state(TWO.id, AnswerState.SENDING)
    assert not sending.is_complete
    broken = sending.with_state(TWO.id, AnswerState.UNKNOWN).with_rest_stopped(SafeText("stopped"))
    assert broken.is_complete
    assert [(item.state, item.reason) for item in broken.items] == [
        (AnswerState.APPROVED, ""),
        (AnswerState.UNKNOWN, ""),
        (AnswerState.NOT_SENT, "stopped"),
    ]
    assert list(broken.counts) == [AnswerState.APPROVED, AnswerState.NOT_SENT, AnswerState.UNKNOWN]


@pytest.mark.parametrize(
    ("copy", "answer", "device", "state"),
    [
        (YES, Answer.APPROVE, HERE, AnswerState.APPROVED),
        (NO, Answer.DENY, HERE, AnswerState.DENIED),
        (NO, Answer.APPROVE, HERE, AnswerState.ALREADY),
        (YES, Answer.APPROVE, ELSEWHERE, AnswerState.ALREADY),
        (YES, Answer.APPROVE, None, AnswerState.ALREADY),
        (ONE, Answer.APPROVE, HERE, AnswerState.NOT_RECORDED),
    ],
    ids=["our approval", "our denial", "our other answer", "other device", "no device", "open"],
)
def test_the_servers_copy_decides_an_unknown_answer(copy, answer, device, state):
    """An answer is ours only if this device gave it.

    If the request is still open, the answer was not recorded.
    """
    assert answer_state(copy, answer, device, NOW) is state


def test_an_unanswered_request_is_expired_or_ended():
    """A request whose time passed is expired, and a withdrawn request is ended."""
    withdrawn = replace(ONE, state=ApprovalState.CANCELLED, reason=SafeText("withdrawn"))
    assert answer_state(ONE, Answer.APPROVE, HERE, ONE.expires_at) is AnswerState.EXPIRED
    assert ended_state(replace(ONE, state=ApprovalState.EXPIRED)) is AnswerState.EXPIRED
    assert answer_state(withdrawn, Answer.APPROVE, HERE, NOW) is AnswerState.ENDED
