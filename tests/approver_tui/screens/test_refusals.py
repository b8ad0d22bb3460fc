"""What an error means to whoever wanted something done."""

import pytest

from approver_tui.client import errors
from approver_tui.screens import refusals
from approver_tui.state.text import SafeText

DONE = SafeText("Nothing more was done.")
WORDS = [
    (errors.Unreachable("x"), "Not sent: the server cannot be reached. Nothing more was done."),
    (
        errors.Unreachable("x", was_sent=True),
        "The server did not answer. It is not known whether this was done: look again.",
    ),
    (
        errors.ApiError("http_502", 502, "Bad gateway."),
        "The server failed: Bad gateway. It is not known whether this was done: look again.",
    ),
    (errors.ApiError("x", 403, "No."), "The server refused: No. Nothing more was done."),
    (errors.NotRecorded(), "Your answer was not recorded. The request still waits."),
    (errors.WrongPin(1, 9), "That is not the PIN. 9 tries left. Nothing more was done."),
]


@pytest.mark.parametrize(("error", "words"), WORDS, ids=[words[:24] for _, words in WORDS])
def test_what_may_have_been_done_is_not_said_not_to_be(error, words):
    """That nothing was done is said where it is known."""
    assert refusals.change_problem(error, done=DONE) == words
