"""The vote tally in words."""

import pytest

from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.votes import Vote, VoteTally
from approver_tui.state.text import SafeText


@pytest.mark.parametrize(
    ("need", "have", "left", "words"),
    [
        (2, 0, ("finance",), "0 of 2, needs two from finance"),
        (2, 1, ("finance",), "1 of 2, needs finance"),
        (3, 1, ("ana", "finance"), "1 of 3, needs two from ana, finance"),
        (9, 1, ("board",), "1 of 9, needs 8 from board"),
        (2, 2, ("finance",), "2 of 2 approved"),
        (2, 1, (), "1 of 2 approved"),
    ],
)
def test_the_tally_says_who_is_needed(need, have, left, words):
    """If no more votes are needed, the tally has only the number of approvals."""
    assert VoteTally(need, have, tuple(map(SafeText, left)), ()).words == words


@pytest.mark.parametrize(
    ("who", "answer", "counts", "is_own"),
    [
        ("me", Answer.APPROVE, True, True),
        ("me", Answer.APPROVE, False, False),
        ("me", Answer.DENY, True, False),
        ("bob", Answer.APPROVE, True, False),
    ],
)
def test_a_vote_counts_for_its_user(who, answer, counts, is_own):
    """A void vote, a denial and another user's vote do not count as this user's approval."""
    vote = Vote(SafeText(who), SafeText(who), answer, 0, counts=counts)
    assert VoteTally(2, 1, (), (vote,)).counts("me") is is_own
