"""Rows keep their position, and an outcome is never undone."""

from dataclasses import replace

from approver_tui.client.reading import JsonObject
from approver_tui.client.wire import read_approval
from approver_tui.state.approvals.approvals import Approval, ApprovalState, Retry
from approver_tui.state.approvals.ceremony import Step
from approver_tui.state.approvals.inbox import Inbox
from tests.support.builders.approval_texts import NOW, to_rfc3339, wire_approval


def an_approval(number: int, **more) -> Approval:
    """Return a waiting approval."""
    return read_approval(JsonObject(wire_approval(number=number, **more)))


def ids(inbox: Inbox) -> list[str]:
    """Return the IDs of the rows in their order."""
    return [row.id for row in inbox.rows]


ONE, TWO = (an_approval(number) for number in (11, 101))


def test_a_new_row_is_appended():
    """Even an urgent request does not move the other rows."""
    urgent = an_approval(111, risk="high", display={"expires_at": to_rfc3339(NOW + 1_000)})
    assert ids(Inbox().with_approval(ONE).with_approval(urgent)) == [ONE.id, urgent.id]


def test_a_known_row_keeps_its_position():
    """A newer copy of a request replaces the old copy in the same row."""
    newer = replace(ONE, nonce="n")
    inbox = Inbox().with_approval(ONE).with_approval(TWO).with_approval(newer)
    assert inbox.rows == (newer, TWO)


def test_the_order_of_the_server_is_kept():
    """A request that a response contains twice has only one row."""
    high = an_approval(111, risk="high", display={"expires_at": to_rfc3339(NOW + 1_000)})
    assert ids(Inbox.from_list([TWO, high, ONE, TWO])) == [TWO.id, high.id, ONE.id]


def test_a_late_copy_never_undoes_an_outcome():
    """A decided row stays decided, because an older copy may arrive after the event."""
    denied = replace(ONE, state=ApprovalState.DENIED)
    assert Inbox().with_approval(ONE).with_update(denied).with_approval(ONE).rows == (denied,)


def test_a_copy_from_the_feed_keeps_the_nonce_and_the_attempts():
    """Without the nonce, an answer would require another request to the server."""
    fetched = replace(ONE, nonce="n", tries_left={Step.MATCH: 1})
    assert Inbox().with_approval(fetched).with_approval(ONE).rows == (fetched,)


def test_an_outcome_of_an_unknown_row_adds_nothing():
    """An ended request that is not in the list is not added; it belongs in the history."""
    assert Inbox().with_update(replace(ONE, state=ApprovalState.DENIED)) == Inbox()


def test_waiting_ends_at_the_exact_millisecond():
    """At `expires_at` itself, the request no longer waits."""
    inbox = Inbox((ONE,))
    assert inbox.waiting(ONE.expires_at - 1) == (ONE,)
    assert inbox.waiting(ONE.expires_at) == ()


def test_a_copy_without_attempts_keeps_the_known_ones():
    """A copy without attempts does not unlock a locked request."""
    locked = replace(ONE, tries_left={Step.TYPE_BACK: 0})
    inbox = Inbox().with_approval(locked).with_approval(ONE)
    assert inbox.rows[0].is_locked
    with_attempts = replace(ONE, tries_left={Step.TYPE_BACK: 1})
    assert not Inbox().with_approval(locked).with_approval(with_attempts).rows[0].is_locked


def test_a_late_copy_never_undoes_a_retry():
    """A retried row stays retried, because an older copy may arrive after the event."""
    expired = replace(ONE, state=ApprovalState.EXPIRED, retry=Retry.POSSIBLE)
    retried = replace(expired, retry=Retry.ASKED)
    assert Inbox().with_approval(retried).with_approval(expired).rows == (retried,)
