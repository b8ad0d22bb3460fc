"""When the user leaves a panel or types a word in it, the focus moves to Back."""

from dataclasses import replace

import pytest
from textual import events
from textual.widgets import Input

from approver_tui.screens.approvals.inbox_base import InboxBase
from approver_tui.screens.confirm import ConfirmPanel
from approver_tui.screens.guard import AWAY_SECONDS, IDLE_SECONDS, InputGuard
from approver_tui.screens.help import HelpScreen
from approver_tui.screens.panel import Panel
from approver_tui.widgets.panel_button import PanelButton
from tests.support.clients.driving import (
    blur_window,
    focus_window,
    inbox,
    open_inbox,
    open_stage,
    pass_time,
    press,
    screen_text,
    type_quickly,
    until,
)
from tests.support.fakes.fake_account import a_device
from tests.support.fakes.fake_answers import PIN
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_clock import NOW, FakeClock
from tests.support.fakes.fake_requests import DEPLOY, MINUTE, PRICES

LIST = [*"ls", "space", "minus", *"la", "enter"]
COMPLETED = [*"cd", "space", *"inv", "tab", "enter"]
KEYS = {
    "low": ["a", "tab"],
    "high": ["a", "pagedown", "pagedown", "tab", *PIN, "tab"],
    "denial": ["d", "1", "tab", "tab", "tab"],
    "report": ["exclamation_mark", "2", "tab", "tab"],
    "vouching": ["5", "j", "V", "tab", *PIN, "tab"],
}
"""The keys that open each panel and move the focus to the button that decides."""


def _stage(kind):
    stage = make_stage([an_approval("prices", PRICES) if kind == "low" else an_approval("pay")])
    other = replace(a_device(), id="sayso_dv_phone", is_this=False, high_from=NOW + 60 * MINUTE)
    stage.server.others = [other]
    return stage


def _decided(stage):
    answers = stage.answers
    return [*answers.calls, *answers.reported, *answers.about_devices] or inbox(
        stage
    ).answer_flow.latest


async def _focus_button(pilot, stage, kind):
    """Read and fill in the panel, focus its button, and let some time pass."""
    await press(pilot, stage, *KEYS[kind])
    pass_time(stage, 5)
    await press(pilot, stage, "shift+tab", "tab")
    assert isinstance(stage.app.focused, PanelButton)
    assert stage.app.focused.id != "back"
    assert isinstance(stage.app.screen, Panel | ConfirmPanel)


@pytest.mark.parametrize("kind", KEYS)
async def test_enter_on_the_button_decides(kind):
    """Without a word typed before it, Enter on the button decides; the other tests rely on this."""
    stage = _stage(kind)
    async with open_inbox(stage) as pilot:
        await _focus_button(pilot, stage, kind)
        await press(pilot, stage, "enter")
        await until(pilot, lambda: bool(_decided(stage)))


@pytest.mark.parametrize(
    ("kind", "typed"),
    [*((kind, LIST) for kind in KEYS), ("low", COMPLETED)],
    ids=[*KEYS, "a completed name"],
)
async def test_a_command_typed_into_a_refocused_window_decides_nothing(kind, typed):
    """A shell command after the guard's delay presses no button."""
    stage = _stage(kind)
    async with open_inbox(stage) as pilot:
        await _focus_button(pilot, stage, kind)
        await blur_window(pilot, stage)
        stage.clock.move(5)
        await focus_window(pilot, stage)
        stage.clock.move(1)
        await type_quickly(pilot, stage, typed, interval=0.12)
        stage.clock.move(6)
        inbox(stage).tick()
        await pilot.pause()
        assert not _decided(stage)


@pytest.mark.parametrize("kind", KEYS)
async def test_a_word_typed_on_the_button_moves_the_focus_away(kind):
    """A letter on a button was meant for another window, so the focus moves to Back."""
    stage = _stage(kind)
    async with open_inbox(stage) as pilot:
        await _focus_button(pilot, stage, kind)
        await type_quickly(pilot, stage, LIST, interval=0.12)
        assert stage.app.focused.id == "back"
        stage.clock.move(6)
        inbox(stage).tick()
        await pilot.pause()
        assert not _decided(stage)


async def test_a_word_typed_on_the_reasons_denies_nothing():
    """Enter on a reason would deny, so a typed word moves the focus from there to Back."""
    stage = _stage("denial")
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "d", "1")
        await type_quickly(pilot, stage, LIST, interval=0.12)
        assert stage.app.focused.id == "back"
        assert not _decided(stage)


async def test_an_unused_enter_keeps_the_focus():
    """Enter without a chosen scope does not move the focus."""
    stage = _stage("report")
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "exclamation_mark", "enter")
        assert stage.app.focused.id == "scope"


async def test_scrolling_and_tab_keep_the_focus():
    """Keys that have a meaning in the panel do not move the focus to Back."""
    stage = _stage("high")
    async with open_inbox(stage) as pilot:
        await _focus_button(pilot, stage, "high")
        await press(pilot, stage, "pageup", "down", "j", "k", "f1", "escape")
        assert stage.app.focused.id == "approve"


async def test_a_short_look_into_another_window_keeps_the_entries():
    """After a short absence the focus is on Back, but the PIN is kept."""
    stage = _stage("high")
    async with open_inbox(stage) as pilot:
        await _focus_button(pilot, stage, "high")
        await blur_window(pilot, stage)
        stage.clock.move(AWAY_SECONDS - 1)
        inbox(stage).tick()
        await focus_window(pilot, stage)
        assert stage.app.focused.id == "back"
        await press(pilot, stage, "tab", "tab", "enter")
        await until(pilot, lambda: bool(stage.answers.calls))


async def _sleep(_pilot, stage):
    stage.clock.move(60)
    inbox(stage).check_sleep()


async def _suspend(_pilot, stage):
    stage.app.action_suspend_process()


async def _stay_away(pilot, stage):
    await blur_window(pilot, stage)
    stage.clock.move(AWAY_SECONDS)
    inbox(stage).tick()


async def _return_late(pilot, stage):
    """Return to the window late, without a tick in between."""
    await blur_window(pilot, stage)
    stage.clock.move(AWAY_SECONDS)
    await focus_window(pilot, stage)


@pytest.mark.parametrize("leave", [_sleep, _suspend, _stay_away, _return_late])
@pytest.mark.parametrize("kind", ["high", "vouching"])
async def test_the_pin_is_cleared_when_the_user_is_away(kind, leave):
    """A sleep, a suspension, or a long absence clears the PIN and focuses Back."""
    stage = _stage(kind)
    async with open_inbox(stage) as pilot:
        await _focus_button(pilot, stage, kind)
        panel = stage.app.screen
        assert panel.query_one("#pin", Input).value == PIN
        await leave(pilot, stage)
        await until(pilot, lambda: panel.query_one("#pin", Input).value == "")
        await focus_window(pilot, stage)
        assert stage.app.focused.id == "back"


async def test_a_note_stays_while_the_user_is_away():
    """A note is not secret, so it is kept while the focus moves to Back."""
    stage = _stage("denial")
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "d", "2", "tab", *"why")
        await _suspend(pilot, stage)
        assert stage.app.screen.query_one("#note", Input).value == "why"
        assert stage.app.focused.id == "back"


def test_a_user_without_input_for_15_minutes_is_away():
    """Any key counts as input, even if the guard drops it."""
    clock = FakeClock()
    guard = InputGuard(clock.ticks)
    clock.move(IDLE_SECONDS - 1)
    assert not guard.is_user_away
    guard.drops(events.Key("a", "a"))
    clock.move(IDLE_SECONDS - 1)
    assert not guard.is_user_away
    clock.move(1)
    assert guard.is_user_away


async def test_a_panel_under_its_help_is_secured_too():
    """If the app is suspended while the help is open, the PIN below it is cleared."""
    stage = _stage("high")
    async with open_inbox(stage) as pilot:
        await _focus_button(pilot, stage, "high")
        panel = stage.app.screen
        await press(pilot, stage, "f1")
        assert isinstance(stage.app.screen, HelpScreen)
        await _suspend(pilot, stage)
        assert panel.query_one("#pin", Input).value == ""
        await press(pilot, stage, "escape")
        assert stage.app.focused.id == "back"


async def test_a_panel_without_buttons_can_be_secured():
    """Returning to the panel with the QR code causes no error, though it has no Back."""
    async with open_stage([an_approval("web", DEPLOY)]) as (pilot, stage):
        await press(pilot, stage, "o")
        await blur_window(pilot, stage)
        await focus_window(pilot, stage)
        await press(pilot, stage, "x")
        assert not isinstance(stage.app.screen, InboxBase)
        assert "Approve?" not in screen_text(stage)
