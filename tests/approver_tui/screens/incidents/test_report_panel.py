"""The report panel: nothing is reported before a scope is chosen."""

import pytest
from textual.widgets import Static

from approver_tui.client import errors
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.incidents.report import ReportPanel
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.incidents.reports import ReportScope
from approver_tui.widgets.panel_button import PanelButton
from tests.support.clients.driving import (
    inbox,
    open_inbox,
    open_stage,
    pass_time,
    press,
    screen_text,
    type_quickly,
    until,
    until_shown,
)
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, three_approvals, with_decision
from tests.support.fakes.fake_requests import CONSENT

PAY = three_approvals()[0]
REPORT = ["tab", "tab", "enter"]


async def _open(pilot, stage, *keys):
    await press(pilot, stage, "exclamation_mark", *keys)


@pytest.mark.parametrize(
    ("key", "scope"), [("2", ReportScope.AGENT), ("3", ReportScope.EVERY_AGENT)]
)
async def test_a_report_quarantines_the_chosen_scope(key, scope):
    """The report sends the note, and the result counts the tokens and requests that ended."""
    async with open_stage([PAY]) as (pilot, stage):
        await _open(pilot, stage, key, "tab", *"no", "tab", "enter")
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        text = screen_text(stage)
        assert "invoice-bot is quarantined: 2 tokens and 1 other request" in text
        assert "Denied by alice" in text
    assert stage.answers.reported == [(PAY.id, scope, "no")]


async def test_reporting_this_request_only_is_a_denial_that_can_be_undone():
    """The first choice sends a denial with the code `suspicious` and opens no incident."""
    async with open_stage([PAY]) as (pilot, stage):
        await _open(pilot, stage, "1", *REPORT)
        assert "Denying in" in screen_text(stage)
        pass_time(stage, 6)
        await until(pilot, lambda: bool(stage.answers.calls))
    assert stage.answers.calls == [(PAY.id, Answer.DENY, "suspicious")]
    assert stage.answers.reported == []


async def test_no_scope_is_chosen_at_first():
    """Until a scope is chosen, Report is unavailable and the hint says why."""
    async with open_stage([PAY]) as (pilot, stage):
        await _open(pilot, stage)
        assert "Report unavailable: choose an option, 1 to 3." in screen_text(stage)
        assert stage.app.screen.query_one("#report", PanelButton).is_off
        await press(pilot, stage, "enter")
        assert isinstance(stage.app.screen, ReportPanel)


async def test_the_consequence_is_shown_before_sending():
    """The panel describes what each choice does; a digit without a choice changes nothing."""
    async with open_stage([PAY]) as (pilot, stage):
        await _open(pilot, stage, "down")
        assert "in 5 s" in screen_text(stage)
        await press(pilot, stage, "down")
        assert "This agent is quarantined for all users." in screen_text(stage)
        await press(pilot, stage, "j")
        assert "Every agent that acts for you is quarantined." in screen_text(stage)
        await press(pilot, stage, "k", "4")
        assert stage.app.screen.query_one("#scope").index == 1


async def test_a_past_request_can_be_reported():
    """A decided request can be reported but not denied, so the first choice is its agent."""
    async with open_stage([PAY]) as (pilot, stage):
        screen = inbox(stage)
        decided = with_decision(PAY, Answer.APPROVE)
        stage.server.put(decided)
        screen.set_state(screen.state.with_approval(decided))
        await _open(pilot, stage, "1")
        assert "1 This agent, invoice-bot" in screen_text(stage)
        await press(pilot, stage, *REPORT)
        await until(pilot, lambda: bool(stage.answers.reported))
    assert stage.answers.reported[0][1] is ReportScope.AGENT


async def test_a_consent_can_be_reported():
    """A consent was requested by no agent, so the report notifies the administrators."""
    async with open_stage([an_approval("consent", CONSENT)]) as (pilot, stage):
        await _open(pilot, stage, "2")
        text = " ".join(screen_text(stage).split())
        assert "This request, and notify administrators" in text
        assert "No agent made" in text


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            errors.Unreachable("down"),
            "Not sent: the server cannot be reached. Nothing was reported.",
        ),
        (errors.UnknownOutcome(PAY.id), "Send it again. Sayso counts it only once."),
    ],
)
async def test_a_report_that_fails_can_be_sent_again(error, says):
    """The panel stays open, says whether the report was sent, and can send it again."""
    stage = make_stage([PAY])
    stage.answers.failures.append(error)
    async with open_inbox(stage) as pilot:
        await _open(pilot, stage, "2", *REPORT)
        why = stage.app.screen.query_one("#hint", Static)
        await until(pilot, lambda: says in str(why.content))
        button = stage.app.screen.query_one("#report")
        await until(pilot, lambda: not button.has_class("-active"))
        button.focus()
        await press(pilot, stage, "enter")
        await until(pilot, lambda: bool(stage.answers.reported))


async def test_a_changed_request_is_not_reported():
    """The panel closes and says that the request changed."""
    stage = make_stage([PAY])
    stage.answers.failures.append(errors.Changed("other"))
    async with open_inbox(stage) as pilot:
        await _open(pilot, stage, "2", *REPORT)
        await until_shown(pilot, stage, "This request changed. Nothing was reported.")


async def test_nothing_can_be_reported_offline():
    """Without a connection, the key says why the report panel does not open."""
    async with open_stage([PAY]) as (pilot, stage):
        screen = inbox(stage)
        stage.feed.connect(type(screen.state.connection.phase).OFFLINE, "gone")
        await until(pilot, lambda: not screen.state.connection.is_live)
        await _open(pilot, stage)
        assert "Report unavailable: no connection to the server" in screen_text(stage)


async def test_fast_typing_reports_nothing():
    """Twenty keys a second in the inbox and the panel send neither report nor denial."""
    async with open_stage([PAY]) as (pilot, stage):
        await type_quickly(pilot, stage, ["exclamation_mark", "2", *REPORT, "1", *REPORT])
        assert isinstance(stage.app.screen, ReportPanel)
    assert (stage.answers.calls, stage.answers.reported) == ([], [])
