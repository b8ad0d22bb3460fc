"""Grouping look-alikes."""

from dataclasses import replace

import pytest

from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.look_alikes import Fold, Folding, group_by_look, look_alikes_of
from approver_tui.state.approvals.narrowing import Granted
from approver_tui.state.approvals.votes import Vote, VoteTally
from approver_tui.state.text import SafeText
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import DEPLOY, MINUTE, PAYMENT

ONE, TWO, THREE = (
    an_approval(name, expires_in=left * MINUTE)
    for name, left in (("one", 4), ("two", 5), ("three", 6))
)
OTHER = an_approval("other", DEPLOY)
FOLDED = Folding(now=NOW)


def shown(folds: list[Fold]) -> list[tuple[str, str]]:
    """Return the ID that each row shows and its label for the number of look-alikes."""
    return [(fold.approval.id, fold.count_label) for fold in folds]


def test_look_alikes_share_the_row_of_the_first():
    """Look-alikes are grouped even if a different request is listed between them."""
    assert group_by_look([ONE, OTHER, TWO, THREE]) == [[ONE, TWO, THREE], [OTHER]]
    assert shown(FOLDED.folds([ONE, OTHER, TWO, THREE])) == [(ONE.id, "x 3"), (OTHER.id, "")]


def test_time_and_message_do_not_separate_look_alikes():
    """The row shows the message of the first request and is new if any of them is new."""
    again = an_approval("again", expires_in=9 * MINUTE, says="It is urgent now!", first=True)
    (fold,) = FOLDED.folds([ONE, again])
    assert (fold.count, fold.is_new, fold.approval.agent_says) == (2, True, ONE.agent_says)


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
def test_every_relevant_difference_separates_requests(other):
    """Requests that differ in risk, facts, agent or ceremony each have their own row."""
    different = an_approval("different", {**PAYMENT, **other})
    assert len(FOLDED.folds([ONE, different])) == 2


def test_votes_and_limits_separate_requests():
    """A vote or a limit belongs to one request and must stay visible."""
    vote = Vote(SafeText("us"), SafeText("bob"), Answer.APPROVE, NOW, counts=True)
    voted = replace(TWO, vote_tally=VoteTally(2, 1, (), (vote,)))
    waiting = replace(ONE, vote_tally=VoteTally(2, 0, (), ()))
    narrowed = replace(THREE, granted=Granted("{}", ()))
    assert len(FOLDED.folds([waiting, voted, narrowed])) == 3


def test_a_request_without_a_look_key_has_its_own_row():
    """Without a key, the texts were not compared."""
    assert len(FOLDED.folds([replace(ONE, look_key=None), replace(TWO, look_key=None)])) == 2


def test_a_row_shows_the_selected_or_first_waiting_request():
    """The row stays in its position when the request that it shows ends."""
    denied = replace(ONE, state=ApprovalState.DENIED)
    rows = [denied, TWO, THREE]
    assert shown(FOLDED.folds(rows)) == [(TWO.id, "x 3, 2 waiting")]
    assert shown(Folding(cursor_id=THREE.id, now=NOW).folds(rows)) == [(THREE.id, "x 3, 2 waiting")]
    late = Folding(now=NOW + 7 * MINUTE)
    assert shown(late.folds(rows)) == [(ONE.id, "x 3, 0 waiting")]
    assert late.row_of(rows, ONE.id) is not None
    assert late.row_of(rows, TWO.id) is None


def test_an_expanded_row_lists_each_request():
    """Each request in an expanded row says how many look alike."""
    opened = Folding(frozenset({ONE.look_key or ""}), now=NOW)
    folds = opened.folds([ONE, OTHER, TWO])
    assert shown(folds) == [(ONE.id, "of 2 alike"), (TWO.id, "of 2 alike"), (OTHER.id, "")]
    assert not any(fold.is_group for fold in folds)


def test_a_row_counts_its_selected_requests():
    """A collapsed row counts the whole group; an expanded row counts only its own request."""
    selected = replace(FOLDED, selected_ids=frozenset({ONE.id, THREE.id}))
    assert [fold.selected_count for fold in selected.folds([ONE, OTHER, TWO, THREE])] == [2, 0]
    opened = replace(selected, expanded_looks=frozenset({ONE.look_key}))
    assert [fold.selected_count for fold in opened.folds([ONE, TWO, THREE])] == [1, 0, 1]


def test_look_alikes_of_a_request_include_itself():
    """A request that is not listed is returned alone."""
    assert look_alikes_of([ONE, OTHER, TWO], TWO) == [ONE, TWO]
    assert look_alikes_of([ONE, TWO], OTHER) == [OTHER]
