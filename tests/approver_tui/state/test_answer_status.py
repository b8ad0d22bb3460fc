"""The message about an answer depends on what is known."""

import pytest

from approver_tui.client import errors
from approver_tui.client.errors import answer_status
from approver_tui.state.answer_status import (
    STATUS_TEXTS,
    AnswerStatus,
    answer_message,
    status_for_http,
)
from approver_tui.state.approvals.decision import Answer

MESSAGES = {
    AnswerStatus.NOT_SENT: "Not sent: the server cannot be reached.",
    AnswerStatus.IN_DOUBT: "Checking whether your approval was recorded\N{HORIZONTAL ELLIPSIS}",
    AnswerStatus.UNKNOWN: "It is unknown whether your approval was recorded.",
    AnswerStatus.NOT_RECORDED: "Your approval was not recorded.",
    AnswerStatus.RECORDED: "Your approval was recorded.",
}
STATUSES = {
    AnswerStatus.RECORDED: (200, 201, 204),
    AnswerStatus.NOT_RECORDED: (400, 401, 403, 404, 409, 412, 422, 423, 428, 429),
    AnswerStatus.IN_DOUBT: (408, 500, 502, 503, 504, 520, 599),
}
ERRORS = [
    (errors.Unreachable("refused"), AnswerStatus.NOT_SENT),
    (errors.CertificateRefused("not ours"), AnswerStatus.NOT_SENT),
    (errors.Unreachable("broke", was_sent=True), AnswerStatus.IN_DOUBT),
    (errors.UnknownOutcome("id"), AnswerStatus.IN_DOUBT),
    (errors.WireError("state", "is unknown"), AnswerStatus.IN_DOUBT),
    (errors.ApiError("server_error", 500, "A fault."), AnswerStatus.IN_DOUBT),
    (errors.ApiError("unavailable", 503, "Busy."), AnswerStatus.IN_DOUBT),
    (errors.ApiError("http_502", 502, "A proxy."), AnswerStatus.IN_DOUBT),
    (errors.ApiError("forbidden", 403, "No."), AnswerStatus.NOT_RECORDED),
    (errors.LoginFirst("Signed out."), AnswerStatus.NOT_RECORDED),
    (errors.Changed("Not what was seen."), AnswerStatus.NOT_RECORDED),
    (errors.WrongPin(1, 9), AnswerStatus.NOT_RECORDED),
    (errors.NotRecorded(), AnswerStatus.NOT_RECORDED),
]


def test_each_status_has_its_text():
    """Every status has a message, and the message names an approval or a denial."""
    assert {state: answer_message(state, Answer.APPROVE) for state in AnswerStatus} == MESSAGES
    assert answer_message(AnswerStatus.IN_DOUBT, Answer.DENY).startswith(
        "Checking whether your denial was "
    )
    assert answer_message(AnswerStatus.NOT_RECORDED) == "Your answer was not recorded."
    assert set(STATUS_TEXTS) == set(AnswerStatus)


def test_only_what_is_known_is_claimed():
    """A message about an unknown outcome does not say that it was recorded or not recorded."""
    for state in (AnswerStatus.IN_DOUBT, AnswerStatus.UNKNOWN):
        assert "whether" in answer_message(state)
        assert "not recorded" not in answer_message(state)
        assert "Not sent" not in answer_message(state)


@pytest.mark.parametrize(
    ("status", "state"),
    [(status, state) for state, statuses in STATUSES.items() for status in statuses],
)
def test_an_http_status_tells_the_answer_status(status, state):
    """A proxy may return an error although the server got the answer."""
    assert status_for_http(status) is state


@pytest.mark.parametrize(("error", "state"), ERRORS, ids=[repr(error) for error, _ in ERRORS])
def test_an_error_tells_the_answer_status(error, state):
    """An answer is "not sent" only if it certainly never left this machine."""
    assert answer_status(error) is state
