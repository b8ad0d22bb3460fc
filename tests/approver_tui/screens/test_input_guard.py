"""Fast typing, pastes, and the click that focuses the window cannot decide a request."""

import pytest
from textual import events
from textual.widgets import Input

from approver_tui.screens.approvals.approve import ApprovePanel
from approver_tui.screens.approvals.deny import DenyPanel
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.guard import QUIET_SECONDS, InputGuard
from approver_tui.widgets.panel_button import PanelButton
from approver_tui.widgets.typed_input import TypedInput
from tests.support.clients.driving import (
    blur_window,
    click,
    inbox,
    open_stage,
    pass_time,
    paste,
    press,
    type_quickly,
    until,
)
from tests.support.fakes.fake_answers import PIN
from tests.support.fakes.fake_approvals import an_approval, three_approvals
from tests.support.fakes.fake_clock import FakeClock
from tests.support.fakes.fake_requests import DEPLOY, MINUTE, PRICES

RUNNING = [*"yes", "space", "a", "space", "y", "enter", "1", "space", "2"]


def _low():
    return an_approval("prices", PRICES, expires_in=3 * MINUTE)


async def test_fast_typing_while_requests_arrive_decides_nothing():
    """Typing twenty keys a second while panels open and requests arrive sends no answer."""
    async with open_stage([_low()]) as (pilot, stage):
        for number in range(5):
            await type_quickly(pilot, stage, [*RUNNING, "tab", "tab", "enter", "d", "1", "enter"])
            stage.request(an_approval(f"late {number}", DEPLOY, expires_in=MINUTE * (9 + number)))
        stage.clock.move(0.7)
        await pilot.press("enter")
        pass_time(stage, 10)
        await pilot.pause()
    assert stage.answers.calls == []


@pytest.mark.parametrize("keys", [["a"], ["a", "enter"], ["a", "y"], ["a", "space"], ["a", "1"]])
async def test_no_single_key_approves_even_slowly(keys):
    """Waiting before each key does not help, because the panel opens with the focus on Back."""
    async with open_stage([_low()]) as (pilot, stage):
        await press(pilot, stage, *keys)
    assert stage.answers.calls == []


async def test_keys_in_the_first_moments_of_a_panel_do_nothing():
    """Each early key restarts the delay, and the focus stays on Back."""
    async with open_stage([_low()]) as (pilot, stage):
        await pilot.press("a")
        await type_quickly(pilot, stage, ["tab", "enter"] * 10, interval=0.5)
        assert isinstance(stage.app.screen, ApprovePanel)
        assert stage.app.focused.id == "back"
    assert stage.answers.calls == []


async def test_paste_never_fills_the_pin():
    """Pasting a PIN is refused even when the guard has stopped ignoring keys."""
    async with open_stage([an_approval("pay")]) as (pilot, stage):
        await press(pilot, stage, "a", "tab")
        assert isinstance(stage.app.focused, TypedInput)
        stage.clock.move(5)
        await paste(pilot, stage, f"{PIN}\n")
        stage.app.copy_to_clipboard(PIN)
        await press(pilot, stage, "ctrl+v")
        assert stage.app.focused.value == ""


async def test_paste_on_the_inbox_opens_nothing():
    """Pasted letters are not treated as keys."""
    async with open_stage([_low()]) as (pilot, stage):
        await paste(pilot, stage, "a\t\n")
        assert isinstance(stage.app.screen, InboxScreen)


async def test_the_click_that_focuses_the_window_does_not_press_approve():
    """The first click only focuses the window; a later click approves."""
    async with open_stage([_low()]) as (pilot, stage):
        await press(pilot, stage, "a")
        approve = stage.app.screen.query_one("#approve", PanelButton)
        assert not approve.is_off
        await blur_window(pilot, stage)
        stage.clock.move(5)
        await click(pilot, stage, approve)
        assert stage.answers.calls == []
        stage.clock.move(1)
        await click(pilot, stage, approve)
        await until(pilot, lambda: len(stage.answers.calls) == 1)


async def test_the_key_that_focuses_the_window_does_nothing():
    """The guard drops the first key after the window gets the focus."""
    async with open_stage([_low()]) as (pilot, stage):
        await blur_window(pilot, stage)
        stage.clock.move(5)
        await pilot.press("a")
        assert isinstance(stage.app.screen, InboxScreen)
        stage.clock.move(1)
        await pilot.press("a")
        assert isinstance(stage.app.screen, ApprovePanel)


async def test_a_selection_that_moves_by_itself_arms_the_guard():
    """When the selected request disappears, keys are ignored for a moment."""
    async with open_stage(three_approvals()) as (pilot, stage):
        removed_id = inbox(stage).state.cursor_id
        del stage.server.approvals[removed_id]
        await pilot.press("r")
        await until(pilot, lambda: inbox(stage).state.cursor_id != removed_id)
        await pilot.press("d")
        assert isinstance(stage.app.screen, InboxScreen)
        stage.clock.move(1)
        await pilot.press("d")
        assert isinstance(stage.app.screen, DenyPanel)


async def test_resuming_from_suspension_arms_the_guard():
    """Keys that were meant for the shell do not open a panel."""
    async with open_stage([_low()]) as (pilot, stage):
        stage.app.app_resume_signal.publish(stage.app)
        await pilot.press("a")
        assert isinstance(stage.app.screen, InboxScreen)


async def test_a_note_can_be_pasted_but_sends_nothing():
    """A pasted line ending and Enter in the note do not deny the request."""
    async with open_stage([_low()]) as (pilot, stage):
        await press(pilot, stage, "d", "2", "tab")
        assert isinstance(stage.app.focused, Input)
        await paste(pilot, stage, "see the invoice\n")
        assert isinstance(stage.app.screen, DenyPanel)
        await press(pilot, stage, "enter")
        assert isinstance(stage.app.screen, DenyPanel)
    assert stage.answers.calls == []


def test_the_guard_waits_for_quiet():
    """Keys that keep coming keep the guard armed until there is a pause."""
    clock = FakeClock()
    guard = InputGuard(clock.ticks)
    guard.arm()
    for _ in range(20):
        clock.move(QUIET_SECONDS / 2)
        assert guard.drops(events.Key("a", "a"))
    clock.move(QUIET_SECONDS + 0.01)
    assert not guard.drops(events.Key("a", "a"))
