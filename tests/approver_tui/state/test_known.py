"""What is known about an answer decides what may be said about it."""

import pytest

from approver_tui.client import errors
from approver_tui.client.errors import known
from approver_tui.state.decision import Answer
from approver_tui.state.known import MAY_SAY, Known, by_status, may_say

SAID = {
    Known.NOT_SENT: "Not sent: the server cannot be reached.",
    Known.IN_DOUBT: "Checking whether your approval was recorded\N{HORIZONTAL ELLIPSIS}",
    Known.UNKNOWN: "It is not known whether your approval was recorded.",
    Known.NOT_RECORDED: "Your approval was not recorded.",
    Known.RECORDED: "Your approval was recorded.",
}
STATUSES = {
    Known.RECORDED: (200, 201, 204),
    Known.NOT_RECORDED: (400, 401, 403, 404, 409, 412, 422, 423, 428, 429),
    Known.IN_DOUBT: (408, 500, 502, 503, 504, 520, 599),
}
ERRORS = [
    (errors.Unreachable("refused"), Known.NOT_SENT),
    (errors.CertificateRefused("not ours"), Known.NOT_SENT),
    (errors.Unreachable("broke", was_sent=True), Known.IN_DOUBT),
    (errors.UnknownOutcome("id"), Known.IN_DOUBT),
    (errors.WireError("state", "is unknown"), Known.IN_DOUBT),
    (errors.ApiError("server_error", 500, "A fault."), Known.IN_DOUBT),
    (errors.ApiError("unavailable", 503, "Busy."), Known.IN_DOUBT),
    (errors.ApiError("http_502", 502, "A proxy."), Known.IN_DOUBT),
    (errors.ApiError("forbidden", 403, "No."), Known.NOT_RECORDED),
    (errors.LoginFirst("Signed out."), Known.NOT_RECORDED),
    (errors.Changed("Not what was seen."), Known.NOT_RECORDED),
    (errors.WrongPin(1, 9), Known.NOT_RECORDED),
    (errors.NotRecorded(), Known.NOT_RECORDED),
]


def test_each_state_has_its_words():
    """And no other state has any."""
    assert {state: may_say(state, Answer.APPROVE) for state in Known} == SAID
    assert may_say(Known.IN_DOUBT, Answer.DENY).startswith("Checking whether your denial was ")
    assert may_say(Known.NOT_RECORDED) == "Your answer was not recorded."
    assert set(MAY_SAY) == set(Known)


def test_only_what_is_known_is_claimed():
    """What may still arrive is neither said to be recorded nor not to be."""
    for state in (Known.IN_DOUBT, Known.UNKNOWN):
        assert "whether" in may_say(state)
        assert "not recorded" not in may_say(state)
        assert "Not sent" not in may_say(state)


@pytest.mark.parametrize(
    ("status", "state"), [(each, state) for state, found in STATUSES.items() for each in found]
)
def test_a_status_tells_what_became_of_its_request(status, state):
    """A proxy answers for a server that may have it all the same."""
    assert by_status(status) is state


@pytest.mark.parametrize(("error", "state"), ERRORS, ids=[repr(error) for error, _ in ERRORS])
def test_an_error_tells_whether_something_may_still_arrive(error, state):
    """Only what certainly never left is not sent."""
    assert known(error) is state
