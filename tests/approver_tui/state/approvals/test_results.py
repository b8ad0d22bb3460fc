"""The list of results: nothing in it is guessed."""

from dataclasses import replace

import pytest

from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.results import Fate, Results, fate_of, over
from approver_tui.state.text import SafeText
from tests.support.fakes.fake_approvals import an_approval, answered
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import DEPLOY, MINUTE

ONE, TWO, THREE = (an_approval(name, DEPLOY, left=9 * MINUTE) for name in ("one", "two", "three"))
FRESH = Results.of(Answer.APPROVE, [ONE, TWO, THREE])
YES, NO = answered(ONE, Answer.APPROVE), answered(ONE, Answer.DENY)
HERE, ELSEWHERE = YES.decided.device_id, "sayso_dv_cccccccccccccccc"


def test_before_anything_is_sent_all_wait():
    """In their order."""
    assert [each.approval for each in FRESH.items] == [ONE, TWO, THREE]
    assert FRESH.counts == {Fate.WAITING: 3}
    assert not FRESH.is_settled


def test_news_of_one_change_only_that_one():
    """With the newest copy, and why."""
    told = FRESH.told(ONE.id, Fate.SENDING).told(ONE.id, Fate.ALREADY, SafeText("by bob"), NO)
    assert (told.items[0].approval, told.items[0].fate, told.items[0].why) == (
        NO,
        Fate.ALREADY,
        "by bob",
    )
    assert told.items[1:] == FRESH.items[1:]
    assert told.told(TWO.id, Fate.UNKNOWN).in_doubt == (TWO.id,)


def test_it_is_settled_when_nothing_more_is_sent():
    """What is in doubt is settled in this sense: it left."""
    sending = FRESH.told(ONE.id, Fate.APPROVED).told(TWO.id, Fate.SENDING)
    assert not sending.is_settled
    broken = sending.told(TWO.id, Fate.UNKNOWN).stopped(SafeText("stopped"))
    assert broken.is_settled
    assert [(each.fate, each.why) for each in broken.items] == [
        (Fate.APPROVED, ""),
        (Fate.UNKNOWN, ""),
        (Fate.NOT_SENT, "stopped"),
    ]
    assert list(broken.counts) == [Fate.APPROVED, Fate.NOT_SENT, Fate.UNKNOWN]


@pytest.mark.parametrize(
    ("copy", "answer", "device", "fate"),
    [
        (YES, Answer.APPROVE, HERE, Fate.APPROVED),
        (NO, Answer.DENY, HERE, Fate.DENIED),
        (NO, Answer.APPROVE, HERE, Fate.ALREADY),
        (YES, Answer.APPROVE, ELSEWHERE, Fate.ALREADY),
        (YES, Answer.APPROVE, None, Fate.ALREADY),
        (ONE, Answer.APPROVE, HERE, Fate.NOT_RECORDED),
    ],
    ids=["our yes", "our no", "our other answer", "elsewhere", "no device", "still waits"],
)
def test_an_answer_in_doubt_is_what_the_servers_copy_says(copy, answer, device, fate):
    """Ours only if this device said this; open, it never arrived."""
    assert fate_of(copy, answer, device, NOW) is fate


def test_what_ended_without_an_answer_is_expired_or_ended():
    """By its time, by the server's word, or because somebody withdrew it."""
    gone = replace(ONE, state=ApprovalState.CANCELLED, reason=SafeText("withdrawn"))
    assert fate_of(ONE, Answer.APPROVE, HERE, ONE.expires_at) is Fate.EXPIRED
    assert over(replace(ONE, state=ApprovalState.EXPIRED)) is Fate.EXPIRED
    assert fate_of(gone, Answer.APPROVE, HERE, NOW) is Fate.ENDED
