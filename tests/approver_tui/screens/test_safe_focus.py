"""A panel that was left, or into which a word is typed, has to be brought to its button again."""

from dataclasses import replace

import pytest
from textual import events
from textual.widgets import Input

from approver_tui.screens.approvals.inbox_base import InboxBase
from approver_tui.screens.confirm import ConfirmPanel
from approver_tui.screens.guard import AWAY, IDLE, InputGuard
from approver_tui.screens.help import HelpScreen
from approver_tui.screens.panel import Panel
from approver_tui.widgets.panel_button import PanelButton
from tests.support.clients.driving import (
    blur,
    come_back,
    inbox,
    look,
    opened,
    press,
    run_on,
    shown,
    until,
)
from tests.support.fakes.fake_account import a_device
from tests.support.fakes.fake_answers import PIN
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_clock import NOW, FakeClock
from tests.support.fakes.fake_requests import DEPLOY, MINUTE, PRICES

LIST = [*"ls", "space", "minus", *"la", "enter"]
COMPLETED = [*"cd", "space", *"inv", "tab", "enter"]
KEYS = {
    "low": ["a", "tab"],
    "high": ["a", "pagedown", "pagedown", "tab", *PIN, "tab"],
    "denial": ["d", "1", "tab", "tab", "tab", "tab"],
    "report": ["exclamation_mark", "2", "tab", "tab", "tab"],
    "vouching": ["5", "j", "V", "tab", *PIN, "tab"],
}
"""What brings each panel to where Enter decides."""


def _stage(kind):
    stage = a_stage([an_approval("prices", PRICES) if kind == "low" else an_approval("pay")])
    other = replace(a_device(), id="sayso_dv_phone", is_this=False, high_from=NOW + 60 * MINUTE)
    stage.server.others = [other]
    return stage


def _decided(stage):
    answers = stage.answers
    return [*answers.given, *answers.reported, *answers.about_devices] or inbox(
        stage
    ).answering.latest


async def _ready(pilot, stage, kind):
    """Everything is read and typed, the focus is on the button, the person thinks for a while."""
    await press(pilot, stage, *KEYS[kind])
    stage.clock.move(5)
    look(stage)
    await press(pilot, stage, "shift+tab", "tab")
    assert isinstance(stage.app.focused, PanelButton)
    assert stage.app.focused.id != "back"
    assert isinstance(stage.app.screen, Panel | ConfirmPanel)


@pytest.mark.parametrize("kind", KEYS)
async def test_enter_on_the_button_decides(kind):
    """Without this the attacks below would prove nothing."""
    stage = _stage(kind)
    async with opened(stage) as pilot:
        await _ready(pilot, stage, kind)
        await press(pilot, stage, "enter")
        await until(pilot, lambda: bool(_decided(stage)))


@pytest.mark.parametrize(
    ("kind", "typed"),
    [*((kind, LIST) for kind in KEYS), ("low", COMPLETED)],
    ids=[*KEYS, "a completed name"],
)
async def test_a_command_typed_into_a_window_that_came_back_decides_nothing(kind, typed):
    """Away for a while, back, a pause longer than the guard's, then a line for the shell."""
    stage = _stage(kind)
    async with opened(stage) as pilot:
        await _ready(pilot, stage, kind)
        await blur(pilot, stage)
        stage.clock.move(5)
        await come_back(pilot, stage)
        stage.clock.move(1)
        await run_on(pilot, stage, typed, each=0.12)
        stage.clock.move(6)
        inbox(stage).tick()
        await pilot.pause()
        assert not _decided(stage)


@pytest.mark.parametrize("kind", KEYS)
async def test_a_word_typed_on_the_button_leads_away_from_it(kind):
    """No focus was lost: the first letter already shows that the word was meant for another."""
    stage = _stage(kind)
    async with opened(stage) as pilot:
        await _ready(pilot, stage, kind)
        await run_on(pilot, stage, LIST, each=0.12)
        assert stage.app.focused.id == "back"
        stage.clock.move(6)
        inbox(stage).tick()
        await pilot.pause()
        assert not _decided(stage)


async def test_a_word_typed_on_the_reasons_denies_nothing():
    """There Enter sends too."""
    stage = _stage("denial")
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "1")
        await run_on(pilot, stage, LIST, each=0.12)
        assert stage.app.focused.id == "back"
        assert not _decided(stage)


async def test_enter_where_it_does_nothing_stays_where_it_is():
    """On the choices of a report: no button is near, and none gets the key."""
    stage = _stage("report")
    async with opened(stage) as pilot:
        await press(pilot, stage, "exclamation_mark", "enter")
        assert stage.app.focused.id == "whom"


async def test_scrolling_and_tab_are_meant():
    """What the panel offers moves nothing away."""
    stage = _stage("high")
    async with opened(stage) as pilot:
        await _ready(pilot, stage, "high")
        await press(pilot, stage, "pageup", "down", "j", "k", "f1", "escape")
        assert stage.app.focused.id == "approve"


async def test_a_look_into_another_window_keeps_what_was_typed():
    """The account's last digits are on the invoice; only the button has to be gone to again."""
    stage = _stage("high")
    async with opened(stage) as pilot:
        await _ready(pilot, stage, "high")
        await blur(pilot, stage)
        stage.clock.move(AWAY - 1)
        inbox(stage).tick()
        await come_back(pilot, stage)
        assert stage.app.focused.id == "back"
        await press(pilot, stage, "tab", "tab", "enter")
        await until(pilot, lambda: bool(stage.answers.given))


async def _sleeps(_pilot, stage):
    stage.clock.move(60)
    inbox(stage).note_sleep()


async def _suspended(_pilot, stage):
    stage.app.action_suspend_process()


async def _long_away(pilot, stage):
    await blur(pilot, stage)
    stage.clock.move(AWAY)
    inbox(stage).tick()


async def _back_late(pilot, stage):
    """The app was not even running meanwhile."""
    await blur(pilot, stage)
    stage.clock.move(AWAY)
    await come_back(pilot, stage)


@pytest.mark.parametrize("left", [_sleeps, _suspended, _long_away, _back_late])
@pytest.mark.parametrize("kind", ["high", "vouching"])
async def test_a_pin_does_not_wait_for_whoever_comes_by(kind, left):
    """It is gone from its field, and the focus from the button."""
    stage = _stage(kind)
    async with opened(stage) as pilot:
        await _ready(pilot, stage, kind)
        panel = stage.app.screen
        assert panel.query_one("#pin", Input).value == PIN
        await left(pilot, stage)
        await until(pilot, lambda: panel.query_one("#pin", Input).value == "")
        await come_back(pilot, stage)
        assert stage.app.focused.id == "back"


async def test_a_note_stays_while_the_person_is_away():
    """It is no secret, and was work."""
    stage = _stage("denial")
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2", "tab", *"why")
        await _suspended(pilot, stage)
        assert stage.app.screen.query_one("#note", Input).value == "why"
        assert stage.app.focused.id == "back"


def test_whoever_touches_nothing_for_a_quarter_of_an_hour_is_gone():
    """In whatever window they are; any key, also one that is dropped, says that they are there."""
    clock = FakeClock()
    guard = InputGuard(clock.ticks)
    clock.move(IDLE - 1)
    assert not guard.is_deserted
    guard.drops(events.Key("a", "a"))
    clock.move(IDLE - 1)
    assert not guard.is_deserted
    clock.move(1)
    assert guard.is_deserted


async def test_a_panel_under_its_help_is_put_down_too():
    """Nobody sees it, and its PIN would still be there."""
    stage = _stage("high")
    async with opened(stage) as pilot:
        await _ready(pilot, stage, "high")
        panel = stage.app.screen
        await press(pilot, stage, "f1")
        assert isinstance(stage.app.screen, HelpScreen)
        await _suspended(pilot, stage)
        assert panel.query_one("#pin", Input).value == ""
        await press(pilot, stage, "escape")
        assert stage.app.focused.id == "back"


async def test_a_panel_without_an_answer_has_nothing_to_put_down():
    """The picture for a phone has no button."""
    stage = a_stage([an_approval("web", DEPLOY)])
    async with opened(stage) as pilot:
        await press(pilot, stage, "o")
        await blur(pilot, stage)
        await come_back(pilot, stage)
        await press(pilot, stage, "x")
        assert not isinstance(stage.app.screen, InboxBase)
        assert "Approve?" not in shown(stage)
