"""What is said of an answer whose receipt was lost, and of a yes that is one of several."""

from dataclasses import replace

from approver_tui.cli import lines
from approver_tui.state.approvals import ApprovalState
from approver_tui.state.text import SafeText
from tests.support.fake_client import NOW, an_approval
from tests.support.several import BOB, ME, a_part, a_shared, a_vote


def test_a_yes_that_counts_is_never_said_to_be_lost():
    """One's own; somebody else's, or one that does not count any more, is none."""
    counted = a_shared("pay", a_vote(ME, "alice"))
    assert lines.has_counted(counted, NOW, ME)
    assert lines.came_of(counted, NOW, ME)[0].startswith("Your yes is counted (1 of 2, needs ")
    for other in (a_shared("pay", a_vote(BOB)), a_shared("pay", a_vote(ME, counts=False))):
        assert lines.came_of(other, NOW, ME)[0].startswith("Your answer has not reached")
    alone = an_approval("pay")
    assert lines.came_of(alone, NOW, ME)[0].startswith("Your answer has not reached")
    assert not lines.came_of(alone, alone.expires_at, ME)[0].startswith("Your answer has not")


def test_a_part_that_somebody_chose_is_read_before_the_pin():
    """In both columns, and in the words of the text that is signed."""
    told = "\n".join(lines.about_to(a_part("pay", a_vote()), NOW))
    assert "You are about to say yes to a part of this:" in told
    assert "less than asked" in told
    assert "  /authorization_details/0/amount/minor is 50000, not 482000" in told


def test_what_its_agent_asked_anew_says_so():
    """In the row of the history too."""
    over = replace(an_approval("pay"), state=ApprovalState.CANCELLED, reason=SafeText("superseded"))
    assert lines.standing(over, NOW) == (
        "superseded: replaced by a newer request of the same agent"
    )


def test_what_is_over_needs_nobody_any_more():
    """How many had said yes stays told; whose yes could count is history."""
    over = replace(a_shared("pay", a_vote(BOB)), state=ApprovalState.DENIED)
    told = "\n".join(lines.outcome(over))
    assert "  1 of 2" in told
    assert "needs" not in told
