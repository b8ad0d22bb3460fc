"""The life of an approval, as a table."""

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
def test_a_final_state_is_never_left(state):
    """What is over stays over."""
    assert (TRANSITIONS[state] == frozenset()) is (state in FINAL)


def test_only_an_approved_request_is_redeemed():
    """No path leads to a token but through a yes."""
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
def test_the_clock_ends_what_waits_and_nothing_else(state, end):
    """Decisions count until the end, redemption half a minute longer."""
    assert deadline(state, END) == end
    if end is None:
        assert not overdue(state, END, END * 10)
    else:
        assert not overdue(state, END, end - 1)
        assert overdue(state, END, end)
