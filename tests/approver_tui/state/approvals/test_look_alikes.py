"""Requests that look alike stand in one row, and whatever a person decides by keeps them apart."""

from dataclasses import replace

import pytest

from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.look_alikes import Fold, Folding, alike, grouped
from approver_tui.state.approvals.narrowing import Granted
from approver_tui.state.approvals.votes import Vote, VoteTally
from approver_tui.state.text import SafeText
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import DEPLOY, MINUTE, PAYMENT

ONE, TWO, THREE = (
    an_approval(name, left=left * MINUTE) for name, left in (("one", 4), ("two", 5), ("three", 6))
)
OTHER = an_approval("other", DEPLOY)
FOLDED = Folding(now=NOW)


def shown(folds: list[Fold]) -> list[tuple[str, str]]:
    """Which request each row shows, and what it says of the others."""
    return [(fold.shown.id, fold.mark) for fold in folds]


def test_what_looks_alike_is_one_row_where_the_first_stands():
    """Three asks of one agent for one thing, and another's between them."""
    assert grouped([ONE, OTHER, TWO, THREE]) == [[ONE, TWO, THREE], [OTHER]]
    assert shown(FOLDED.folds([ONE, OTHER, TWO, THREE])) == [(ONE.id, "x 3"), (OTHER.id, "")]


def test_when_and_in_which_words_it_was_asked_keeps_nothing_apart():
    """An agent that words its request anew asks for the same; its words stay with each."""
    again = an_approval("again", left=9 * MINUTE, says="It is urgent now!", first=True)
    (fold,) = FOLDED.folds([ONE, again])
    assert (fold.alike, fold.is_new, fold.shown.agent_says) == (2, True, ONE.agent_says)


@pytest.mark.parametrize(
    "other",
    [
        {"risk": "critical"},
        {"unusual": []},
        {"facts": [("Amount", "EUR 4,820.01", True)]},
        {"agent": "invoice-bot-2"},
        {"resource": "https://pay.example.org"},
        {"details": [{"type": "payment.transfer"}]},
        {"why": "another rule asks"},
        {"ceremony": "pin+reason"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_whatever_a_person_decides_by_keeps_them_apart(other):
    """Above all another risk: it is never hidden in the row of a lower one."""
    twin = an_approval("twin", {**PAYMENT, **other})
    assert len(FOLDED.folds([ONE, twin])) == 2


def test_what_others_said_keeps_them_apart():
    """A vote or a narrowing is of one request, and is not to be missed."""
    vote = Vote(SafeText("us"), SafeText("bob"), Answer.APPROVE, NOW, counts=True)
    voted = replace(TWO, together=VoteTally(2, 1, (), (vote,)))
    waiting = replace(ONE, together=VoteTally(2, 0, (), ()))
    narrowed = replace(THREE, granted=Granted("{}", ()))
    assert len(FOLDED.folds([waiting, voted, narrowed])) == 3


def test_a_request_whose_texts_were_not_looked_at_stands_alone():
    """Not knowing is no likeness."""
    assert len(FOLDED.folds([replace(ONE, look=None), replace(TWO, look=None)])) == 2


def test_a_row_shows_the_selected_one_or_the_first_that_waits():
    """And keeps its place when the first is over; what it says of the rest follows."""
    over = replace(ONE, state=ApprovalState.DENIED)
    rows = [over, TWO, THREE]
    assert shown(FOLDED.folds(rows)) == [(TWO.id, "x 3, 2 wait")]
    assert shown(Folding(selected=THREE.id, now=NOW).folds(rows)) == [(THREE.id, "x 3, 2 wait")]
    late = Folding(now=NOW + 7 * MINUTE)
    assert shown(late.folds(rows)) == [(ONE.id, "x 3, 0 wait")]
    assert late.of(rows, ONE.id) is not None
    assert late.of(rows, TWO.id) is None


def test_an_opened_row_lists_each_below_the_other():
    """Each says that it is one of several."""
    opened = Folding(frozenset({ONE.look or ""}), now=NOW)
    folds = opened.folds([ONE, OTHER, TWO])
    assert shown(folds) == [(ONE.id, "of 2 alike"), (TWO.id, "of 2 alike"), (OTHER.id, "")]
    assert not any(fold.stands_for_more for fold in folds)


def test_a_row_counts_what_of_it_is_marked():
    """Folded all of the group, opened each its own."""
    marked = replace(FOLDED, marked=frozenset({ONE.id, THREE.id}))
    assert [fold.marked for fold in marked.folds([ONE, OTHER, TWO, THREE])] == [2, 0]
    opened = replace(marked, opened=frozenset({ONE.look}))
    assert [fold.marked for fold in opened.folds([ONE, TWO, THREE])] == [1, 0, 1]


def test_beside_a_request_stand_those_that_look_like_it():
    """Itself among them, and alone where it is not listed."""
    assert alike([ONE, OTHER, TWO], TWO) == [ONE, TWO]
    assert alike([ONE, TWO], OTHER) == [OTHER]
