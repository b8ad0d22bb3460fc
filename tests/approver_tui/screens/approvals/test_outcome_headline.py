"""A request that was approved with limits shows what was granted first."""

from dataclasses import replace
from datetime import UTC

import pytest

from approver_tui.cli import lines
from approver_tui.cli.approvals import listing
from approver_tui.screens.approvals.results import result_lines
from approver_tui.screens.notifications.news import event_text
from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.narrowing import Granted, outcome_headline
from approver_tui.state.approvals.results import AnswerState, Results
from approver_tui.state.notifications.events import Event, EventName
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.facts import approval_lines
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.lines import text_of
from tests.support.builders.multi_approver import ME, a_part, a_vote
from tests.support.clients.driving import (
    NARROW,
    WIDE,
    open_stage,
    press,
    screen_text,
    until_shown,
)
from tests.support.fakes.fake_approvals import with_decision
from tests.support.fakes.fake_clock import NOW

GRANTED, ASKED = "EUR 500.00", "EUR 4,820.00"
_OPEN = a_part("pay", a_vote(ME, "alice"))
_DECIDED = with_decision(_OPEN, Answer.APPROVE).decision
PART = replace(_OPEN, state=ApprovalState.APPROVED, decision=_DECIDED, over_at=NOW)
HEADLINE = (
    "Granted: Pay EUR 500.00 to Nordwind Logistik GmbH (requested: Pay EUR 4,820.00 to Nordwind"
)


def _results(approval):
    results = Results.before_sending(Answer.APPROVE, [approval])
    sent = results.with_state(approval.id, AnswerState.APPROVED)
    return " ".join(text_of(line) for line in result_lines(sent, 200))


LINES = {
    "the outcome of a command": lambda: lines.outcome_lines(PART)[0],
    "show": lambda: "\n".join(lines.approval_in_full(PART, NOW)),
    "a row of a list": lambda: listing.entry_lines(PART, NOW)[0],
    "the detail": lambda: "\n".join(
        text_of(line) for line in approval_lines(PART, RenderContext(NOW, UTC, 200))
    ),
    "news": lambda: event_text(Event(1, EventName.DECIDED, NOW, approval=PART), UTC),
    "one of several answers": lambda: _results(PART),
}


@pytest.mark.parametrize("where", LINES)
def test_the_granted_amount_comes_first(where):
    """The granted amount comes before the requested amount in every place."""
    line = LINES[where]()
    assert HEADLINE in line
    assert 0 <= line.find(GRANTED) < line.find(ASKED)


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_the_history_shows_what_was_granted_first(size):
    """A list that cuts long lines still shows the granted amount."""
    async with open_stage([PART], size=size) as (pilot, stage):
        await press(pilot, stage, "2")
        await until_shown(pilot, stage, "Granted: Pay EUR 500.00")
        assert "Pay EUR 4,820.00" not in screen_text(stage).partition("Granted: Pay EUR 500.00")[0]


@pytest.mark.parametrize(
    ("granted", "is_given", "expected"),
    [
        (None, True, "Pay 2"),
        (Granted("{}", (), headline=SafeText("Pay 1")), True, "Granted: Pay 1 (requested: Pay 2)"),
        (
            Granted("{}", (), headline=SafeText("Pay 1")),
            False,
            "With limits: Pay 1 (requested: Pay 2)",
        ),
        (Granted("{}", (), headline=SafeText("Pay 2")), True, "Granted with limits: Pay 2"),
        (Granted("{}", ()), False, "With limits: Pay 2"),
    ],
)
def test_the_headline_follows_the_outcome(granted, is_given, expected):
    """The headline says "Granted" only if the request was approved."""
    assert outcome_headline(SafeText("Pay 2"), granted, is_given=is_given) == expected
