"""The deny panel: a reason, notes, and five seconds to undo the denial."""

import pytest

from approver_tui.client import errors
from approver_tui.screens.approvals.deny import DenyPanel
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.guarded_app import GuardedApp
from approver_tui.screens.incidents.report import ReportPanel
from approver_tui.state.approvals.decision import NO_EXTRAS, Answer, DenialExtras
from approver_tui.widgets.approvals.denial_form import DenyCodes
from tests.support.clients.driving import (
    inbox,
    open_inbox,
    open_stage,
    pass_time,
    paste,
    press,
    screen_text,
    type_quickly,
    until,
    until_shown,
)
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, three_approvals
from tests.support.fakes.fake_requests import CONSENT

PAY = three_approvals()[0].id


async def test_a_denial_is_sent_after_five_seconds():
    """A digit and Enter start a countdown in the status line; then the denial is sent."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "d", "2")
        stage.clock.move(1)
        await pilot.press("enter")
        await pilot.pause()
        assert "Denying in 5 s (u to undo): Pay EUR 4,820.00" in screen_text(stage)
        pass_time(stage, 4.9)
        await pilot.pause()
        assert stage.answers.calls == []
        assert "Denying in 1 s" in screen_text(stage)
        pass_time(stage, 0.2)
        await until_shown(pilot, stage, "Denied by alice")
    assert stage.answers.calls == [(PAY, Answer.DENY, "wrong_details")]


async def test_u_undoes_a_denial():
    """After u, the denial is not sent and the request can be answered again."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "d", "2", "enter", "u")
        pass_time(stage, 10)
        await pilot.pause()
        assert "Undone: nothing was denied." in screen_text(stage)
        await press(pilot, stage, "d")
        assert isinstance(stage.app.screen, DenyPanel)
    assert stage.answers.calls == []


async def test_no_reason_is_chosen_at_first():
    """Enter without a reason keeps the panel open and says that a reason is missing."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "d", "enter")
        assert isinstance(stage.app.screen, DenyPanel)
        assert "Deny unavailable: choose a reason" in screen_text(stage)


async def test_arrows_choose_and_the_button_sends():
    """Down chooses a reason, Tab passes both notes, and Enter on Deny sends it."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "d", "down", "down", "tab")
        note = stage.app.focused
        note.value = "x" * 498
        stage.clock.move(1)
        await type_quickly(pilot, stage, list("yyyy"))
        assert len(note.value) == 500
        await press(pilot, stage, "enter")
        assert isinstance(stage.app.screen, DenyPanel)
        await press(pilot, stage, "tab", "tab", "enter")
        pass_time(stage, 6)
        await until(pilot, lambda: bool(stage.answers.calls))
    assert stage.answers.calls == [(PAY, Answer.DENY, "wrong_details")]


async def test_a_request_with_a_waiting_denial_cannot_be_answered_again():
    """While a denial waits, neither `a` nor `d` opens a panel."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "d", "2")
        await pilot.press("enter")
        await press(pilot, stage, "a")
        assert isinstance(stage.app.screen, InboxScreen)
        await press(pilot, stage, "d")
        assert isinstance(stage.app.screen, InboxScreen)
        assert len(inbox(stage).state.in_progress) == 1


async def test_quitting_sends_the_denial_first():
    """Pressing `q` within the five seconds sends the denial without waiting."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "d", "2")
        await pilot.press("enter")
        await press(pilot, stage, "q")
        await until(pilot, lambda: not stage.app.is_running)
    assert stage.answers.calls == [(PAY, Answer.DENY, "wrong_details")]


async def test_suspending_sends_the_denial_first(monkeypatch):
    """A suspended app sends nothing, so the denial would wait until somebody resumes it."""
    calls_when_suspended = []
    async with open_stage(three_approvals()) as (pilot, stage):
        monkeypatch.setattr(
            GuardedApp,
            "action_suspend_process",
            lambda _app: calls_when_suspended.extend(stage.answers.calls),
        )
        await press(pilot, stage, "d", "2", "enter", "ctrl+z")
        await until(pilot, lambda: bool(calls_when_suspended))
    assert calls_when_suspended == [(PAY, Answer.DENY, "wrong_details")]


async def test_a_denial_is_dropped_after_an_answer_on_another_device():
    """If somebody else decided first, the message says who did, and the denial is dropped."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "d", "2", "enter")
        winner = stage.answers._done(three_approvals()[0], Answer.APPROVE, None, None)
        stage.answers.failures.append(errors.AlreadyDecided("already_decided", "late", winner))
        pass_time(stage, 6)
        await until_shown(pilot, stage, "Already decided. Approved by alice")
        assert inbox(stage).state.in_progress == {}


async def test_a_denial_that_is_not_sent_says_so():
    """If the server cannot be reached, the request can be denied again."""
    stage = make_stage(three_approvals())
    stage.answers.failures.append(errors.Unreachable("down"))
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "d", "2", "enter")
        pass_time(stage, 6)
        await until_shown(pilot, stage, "Not sent: the server cannot be reached.")
        await press(pilot, stage, "d")
        assert stage.app.screen.query_one(DenyCodes).code is None


async def test_escape_denies_nothing():
    """Choosing a reason and pressing Esc does not deny the request."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "d", "2", "escape")
        pass_time(stage, 10)
        assert isinstance(stage.app.screen, InboxScreen)
    assert stage.answers.calls == []


async def test_only_wait_until_offers_a_time():
    """Only `wait_until` offers a time, which counts from the moment you press Deny."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "d", "2")
        assert "in an hour" not in screen_text(stage)
        await press(pilot, stage, "4", "tab", "2")
        assert "> 2 in an hour" in screen_text(stage)
        await press(pilot, stage, "tab", "tab", "tab")
        stage.clock.move(1)
        pressed_at = stage.clock.now()
        await pilot.press("enter")
        pass_time(stage, 5)
        await until(pilot, lambda: stage.answers.denial_extras != [])
    assert stage.answers.denial_extras == [DenialExtras(pressed_at + 3_600_000)]


async def test_a_chosen_time_is_not_sent_with_another_reason():
    """The server accepts a time only with `wait_until`, so another reason drops it."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "d", "4", "tab", "1", "shift+tab", "1", "enter")
        pass_time(stage, 5)
        await until(pilot, lambda: stage.answers.denial_extras != [])
    assert stage.answers.denial_extras == [NO_EXTRAS]


async def test_only_ask_other_offers_a_name():
    """Only the reason `ask_other` has a field for the name of another person."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "d", "2")
        assert "Who to ask instead" not in screen_text(stage)
        await press(pilot, stage, "5", "tab", *"bob")
        assert "Who to ask instead" in screen_text(stage)
        await press(pilot, stage, "tab", "tab", "tab", "enter")
        pass_time(stage, 5)
        await until(pilot, lambda: stage.answers.denial_extras != [])
    assert stage.answers.denial_extras == [DenialExtras(ask="bob")]


async def test_the_hint_says_how_to_deny_from_the_current_focus():
    """In a text field, Enter does not deny, so the hint says to press Tab first."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "d", "2")
        assert "Enter denies. You then have 5 s" in screen_text(stage)
        await press(pilot, stage, "tab")
        assert "Tab to Deny, then Enter. You then have 5 s" in screen_text(stage)
        while stage.app.focused.id != "deny":
            await press(pilot, stage, "tab")
        assert "Enter denies. You then have 5 s" in screen_text(stage)
    assert stage.answers.calls == []


async def test_a_full_disk_does_not_close_the_app():
    """The denial is sent; a message says that the next start may report it as not sent."""
    stage = make_stage(three_approvals())
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "d", "2")
        stage.clock.move(1)
        await pilot.press("enter")
        stage.unsent_denials.failure = OSError(28, "No space left on device")
        pass_time(stage, 6)
        await until(pilot, lambda: stage.answers.calls)
        await until_shown(pilot, stage, "denied")
        assert stage.app.is_running
    assert stage.answers.calls == [(PAY, Answer.DENY, "wrong_details")]


@pytest.mark.parametrize(
    ("before", "pasted", "after"),
    [("a ", "b\n\n c\t", "a b c"), ("a", "x" * 600, "a" + "x" * 499), ("a" * 500, "b", "a" * 500)],
)
async def test_all_lines_that_fit_are_pasted_into_a_note(before, pasted, after):
    """Nothing is lost without a trace: not the other lines, and not a text that is too long."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "d", "2", "tab")
        note = stage.app.focused
        note.value = before
        note.cursor_position = len(before)
        stage.clock.move(1)
        await paste(pilot, stage, pasted)
        await until(pilot, lambda: note.value == after)


async def test_leaving_with_a_note_says_that_nothing_was_sent():
    """Esc with a typed note shows a message; without a note it shows none."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "d", "2", "escape")
        assert "Nothing was sent" not in screen_text(stage)
        await press(pilot, stage, "d", "2", "tab", *"no", "escape")
        await until_shown(pilot, stage, "Nothing was sent. Your text is kept.")
    assert stage.answers.calls == []


async def test_an_unrecognized_request_can_be_reported_instead():
    """The panel names the key that reports the request; the report is about the same request."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "d", "6")
        words = " ".join(screen_text(stage).split())
        assert "To quarantine its agent too, report it: Esc, then !" in words
        await press(pilot, stage, "escape", "exclamation_mark")
        assert isinstance(stage.app.screen, ReportPanel)
        assert stage.app.screen.approval.id == PAY


async def test_a_private_note_goes_to_the_log_and_the_note_to_the_agent():
    """The panel has one field for each note and sends them separately."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "d", "2", "tab", *"fix", "tab", *"mine", "tab", "enter")
        pass_time(stage, 6)
        await until(pilot, lambda: bool(stage.answers.calls))
    assert stage.answers.denial_extras == [DenialExtras(private_note="mine")]
    assert stage.answers.notes == ["fix"]


async def test_without_an_agent_there_is_one_note_for_the_log():
    """A request without an agent has a single note, because nobody else would read it."""
    async with open_stage([an_approval("consent", CONSENT)]) as (pilot, stage):
        await press(pilot, stage, "d", "2")
        assert "Note for the audit log" in screen_text(stage)
        assert "Private note" not in screen_text(stage)
        await press(pilot, stage, "enter")
        assert "Denying in" in screen_text(stage)


async def test_the_key_bar_matches_the_tab_order():
    """If the panel offers times, Tab goes to them and the key bar does not name the note."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "d", "4")
        assert "in 15 minutes" in screen_text(stage)
        assert "Tab Next" in screen_text(stage)
        assert "Tab Note" not in screen_text(stage)
        await press(pilot, stage, "tab")
        assert stage.app.focused.id == "until"
