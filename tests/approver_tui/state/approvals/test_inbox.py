"""Nothing moves under the cursor, and nothing that is over comes back."""

from dataclasses import replace

from approver_tui.client.reading import JsonObject
from approver_tui.client.wire import read_approval
from approver_tui.state.approvals.approvals import Approval, ApprovalState, Retry
from approver_tui.state.approvals.ceremony import Step
from approver_tui.state.approvals.inbox import Inbox
from tests.support.builders.approval_texts import NOW, when, wire_approval


def an_approval(number: int, **more) -> Approval:
    """An approval that waits."""
    return read_approval(JsonObject(wire_approval(number=number, **more)))


def ids(inbox: Inbox) -> list[str]:
    """The ids in their order."""
    return [row.id for row in inbox.rows]


ONE, TWO = (an_approval(number) for number in (11, 101))


def test_a_new_row_goes_to_the_end():
    """The row that the person is about to open stays where it is."""
    urgent = an_approval(111, risk="high", display={"expires_at": when(NOW + 1_000)})
    assert ids(Inbox().seen(ONE).seen(urgent)) == [ONE.id, urgent.id]


def test_a_known_row_keeps_its_place():
    """A second copy replaces the first where it stood."""
    newer = replace(ONE, nonce="n")
    inbox = Inbox().seen(ONE).seen(TWO).seen(newer)
    assert inbox.rows == (newer, TWO)


def test_the_servers_order_is_the_only_one():
    """Neither risk nor end sorts anything here; twins in one answer are one row."""
    high = an_approval(111, risk="high", display={"expires_at": when(NOW + 1_000)})
    assert ids(Inbox.listed([TWO, high, ONE, TWO])) == [TWO.id, high.id, ONE.id]


def test_a_late_copy_takes_no_outcome_back():
    """Feed and fetch may cross; a decided request does not wait again."""
    denied = replace(ONE, state=ApprovalState.DENIED)
    assert Inbox().seen(ONE).decided(denied).seen(ONE).rows == (denied,)


def test_an_outcome_of_an_unknown_row_adds_nothing():
    """What was decided elsewhere before it was listed here is history, not inbox."""
    assert Inbox().decided(replace(ONE, state=ApprovalState.DENIED)) == Inbox()


def test_waiting_ends_at_the_very_millisecond():
    """At `expires_at` an answer no longer counts, so the row no longer waits."""
    inbox = Inbox((ONE,))
    assert inbox.waiting(ONE.expires_at - 1) == (ONE,)
    assert inbox.waiting(ONE.expires_at) == ()


def test_a_copy_that_does_not_tell_of_tries_takes_none_back():
    """They are told with some copies alone, and only get less."""
    locked = replace(ONE, tries_left={Step.TYPE_BACK: 0})
    inbox = Inbox().seen(locked).seen(ONE)
    assert inbox.rows[0].is_locked
    again = replace(ONE, tries_left={Step.TYPE_BACK: 1})
    assert not Inbox().seen(locked).seen(again).rows[0].is_locked


def test_a_late_copy_does_not_take_the_word_to_an_agent_back():
    """Feed and fetch may cross; what was asked of an agent stays asked."""
    lapsed = replace(ONE, state=ApprovalState.EXPIRED, retry=Retry.POSSIBLE)
    asked = replace(lapsed, retry=Retry.ASKED)
    assert Inbox().seen(asked).seen(lapsed).rows == (asked,)
