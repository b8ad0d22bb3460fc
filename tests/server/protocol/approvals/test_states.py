"""The states of an approval and their transitions."""

import pytest

from server.protocol.approvals.states import (
    REDEMPTION_GRACE_MS,
    TRANSITIONS,
    State,
    deadline,
    origins,
    overdue,
)

FINAL = {State.DENIED, State.EXPIRED, State.CANCELLED, State.REDEEMED}
END = 1_000_000


@pytest.mark.parametrize("state", list(State))
def test_a_final_state_has_no_transitions(state):
    """The final states are exactly denied, expired, cancelled and redeemed."""
    assert (TRANSITIONS[state] == frozenset()) is (state in FINAL)


def test_only_an_approved_request_is_redeemed():
    """A request can yield a token only after it was approved."""
    assert origins(State.REDEEMED) == {State.APPROVED}
    assert origins(State.APPROVED) == {State.PENDING}
    assert origins(State.DENIED) == {State.PENDING}
    assert origins(State.PENDING) == frozenset()


@pytest.mark.parametrize(
    ("state", "end"),
    [
        (State.PENDING, END),
        (State.APPROVED, END + REDEMPTION_GRACE_MS),
        *((state, None) for state in FINAL),
    ],
)
def test_only_pending_and_approved_requests_expire(state, end):
    """A decision counts until the request expires. It can be redeemed for 30 more seconds."""
    assert deadline(state, END) == end
    if end is None:
        assert not overdue(state, END, END * 10)
    else:
        assert not overdue(state, END, end - 1)
        assert overdue(state, END, end)
