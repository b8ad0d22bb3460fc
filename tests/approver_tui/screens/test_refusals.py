"""The message about a failed change, for each error."""

import pytest

from approver_tui.client import errors
from approver_tui.screens import refusals
from approver_tui.state.text import SafeText

NOTHING_DONE = SafeText("Nothing was changed.")
WORDS = [
    (errors.Unreachable("x"), "Not sent: the server cannot be reached. Nothing was changed."),
    (
        errors.Unreachable("x", was_sent=True),
        "The server did not respond. The outcome is unknown. Check again.",
    ),
    (
        errors.ApiError("http_502", 502, "Bad gateway."),
        "The server failed: Bad gateway. The outcome is unknown. Check again.",
    ),
    (errors.ApiError("x", 403, "No."), "The server refused: No. Nothing was changed."),
    (errors.NotRecorded(), "Your answer was not recorded. The request is still waiting."),
    (errors.WrongPin(1, 9), "Wrong PIN. 9 attempts left. Nothing was changed."),
]


@pytest.mark.parametrize(("error", "words"), WORDS, ids=[words[:24] for _, words in WORDS])
def test_a_change_that_may_have_happened_is_not_reported_as_failed(error, words):
    """A message says that nothing was changed only if that is certain."""
    assert refusals.change_problem(error, done=NOTHING_DONE) == words
