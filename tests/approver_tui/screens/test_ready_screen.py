"""Events before a screen is ready or while it closes are neither lost nor crash the app."""

import asyncio
import contextlib
import threading
from operator import methodcaller

import pytest

from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.help import HelpScreen
from approver_tui.state.approvals.decision import Answer
from tests.support.clients.driving import (
    inbox,
    open_inbox,
    open_stage,
    press,
    run_loop_turns,
    screen_text,
    until,
)
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, with_decision
from tests.support.fakes.fake_requests import MINUTE, PRICES

_OPENING_TURNS = (0, 1, 5, 10, 15, 18, 21)
"""Turns of the event loop: a pushed panel has its widgets after eighteen turns."""

_SCREENS = {
    "approve": methodcaller("action_open_panel", "approve"),
    "deny": methodcaller("action_open_panel", "deny"),
    "help": InboxScreen.action_help,
    "similar": methodcaller("action_open_panel", "standing_grant"),
    "less": methodcaller("action_open_panel", "narrow"),
    "report": methodcaller("action_open_panel", "report"),
    "elsewhere": methodcaller("action_open_panel", "open_on_phone"),
    "palette": InboxScreen.action_palette,
}
"""How the inbox opens each screen."""
panels = pytest.mark.parametrize(
    "action", [_SCREENS["approve"], _SCREENS["deny"]], ids=["approve", "deny"]
)
actions = pytest.mark.parametrize("action", _SCREENS.values(), ids=_SCREENS)


def _low(name="prices", **changes):
    return an_approval(name, PRICES, expires_in=3 * MINUTE, **changes)


def _changed(name):
    return _low(name, salt="another")


def _decided(name):
    return with_decision(_low(name), Answer.DENY)


@contextlib.asynccontextmanager
async def _at_every_turn(act):
    """Call `act` in every turn of the event loop while the block runs."""

    async def act_repeatedly():
        while True:
            act()
            await asyncio.sleep(0)

    task = asyncio.create_task(act_repeatedly())
    await asyncio.sleep(0)
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("key", ["a", "d", "question_mark", "j"])
async def test_messages_of_threads_while_the_app_exits_are_harmless(key):
    """A message to the inbox after its panels closed does not crash the app."""
    stage = make_stage([_low()])
    async with contextlib.AsyncExitStack() as outside:
        async with open_inbox(stage) as pilot:
            await press(pilot, stage, key)
            screen = inbox(stage)
            await outside.enter_async_context(
                _at_every_turn(lambda: screen.call_later(screen.set_approval, _low()))
            )
        assert not screen.is_ready


@pytest.mark.parametrize("key", ["a", "d", "question_mark", "j"])
async def test_a_tick_while_the_app_exits_is_harmless(key):
    """A tick after the widgets are gone does not crash the app."""
    stage = make_stage([_low()])
    async with contextlib.AsyncExitStack() as outside, open_inbox(stage) as pilot:
        await press(pilot, stage, key)
        await outside.enter_async_context(_at_every_turn(inbox(stage).tick))


@pytest.mark.parametrize("turns", [0, 2, 12])
@actions
async def test_the_app_can_exit_while_a_screen_opens(action, turns):
    """Textual mounts a screen without composing it if the app exits first."""
    async with open_stage([_low()]) as (_pilot, stage):
        action(inbox(stage))
        await run_loop_turns(turns)


@actions
@pytest.mark.parametrize("is_first", [True, False], ids=["end first", "end last"])
async def test_a_screen_can_open_while_the_app_exits(action, is_first):
    """Textual composes a screen without mounting its widgets if the app is exiting."""
    async with open_stage([_low()]) as (_pilot, stage):
        if is_first:
            stage.app.exit()
        action(inbox(stage))
        assert not stage.app.screen.is_ready
        if not is_first:
            stage.app.exit()


@panels
async def test_an_unchanged_copy_while_a_panel_opens_leaves_it_open(action):
    """An unchanged copy of the request does not close its panel at any stage of opening."""
    async with open_stage([_low()]) as (pilot, stage):
        for turns in _OPENING_TURNS:
            action(inbox(stage))
            panel = stage.app.screen
            await run_loop_turns(turns)
            inbox(stage).set_approval(_low())
            await until(pilot, lambda panel=panel: panel.is_ready)
            assert stage.app.screen is panel
            await press(pilot, stage, "escape")
            assert isinstance(stage.app.screen, InboxScreen)


@panels
@pytest.mark.parametrize("news", [_changed, _decided])
async def test_a_change_while_a_panel_opens_closes_it(action, news):
    """A changed or decided request closes its panel at any stage of opening."""
    names = [f"prices {turns}" for turns in _OPENING_TURNS]
    async with open_stage([_low(name) for name in names]) as (pilot, stage):
        for turns, name in zip(_OPENING_TURNS, names, strict=True):
            screen, copy = inbox(stage), news(name)
            screen.set_state(screen.state.with_cursor(copy.id))
            action(screen)
            await run_loop_turns(turns)
            stage.server.put(copy)
            screen.set_state(screen.state.with_approval(copy))
            await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
            assert screen.answer_flow.panel is None


@panels
async def test_the_first_key_after_one_that_opens_a_panel_is_ignored(action):
    """The key neither moves the focus nor closes the panel."""
    async with open_stage([_low()]) as (pilot, stage):
        action(inbox(stage))
        panel = stage.app.screen
        assert stage.app.context.guard.is_blocking
        await pilot.press("tab", "f1", "escape", "enter")
        assert stage.app.screen is panel


async def test_keys_do_nothing_on_an_unmounted_screen():
    """A screen that is not mounted cannot be dismissed until it is ready."""
    async with open_stage([_low()]) as (pilot, stage):
        screen = inbox(stage)
        screen.action_help()
        page = stage.app.screen
        assert not page.is_ready
        assert not await stage.app.run_action("screen.dismiss")
        await until(pilot, lambda: page.is_ready)
        assert await stage.app.run_action("screen.dismiss")
        await until(pilot, lambda: stage.app.screen is screen)


@panels
@pytest.mark.parametrize("news", [_changed, _decided])
async def test_a_panel_under_its_help_closes_too(action, news):
    """A change closes the help and the panel below it, at any stage of opening the help."""
    names = {f"prices {turns}": turns for turns in (0, 1, 3, 10, 50)}
    async with open_stage([_low(name) for name in names]) as (pilot, stage):
        for name, turns in names.items():
            screen, copy = inbox(stage), news(name)
            screen.set_state(screen.state.with_cursor(copy.id))
            action(screen)
            panel = stage.app.screen
            await until(pilot, lambda panel=panel: panel.is_ready)
            panel.action_help()
            await run_loop_turns(turns)
            stage.server.put(copy)
            screen.set_state(screen.state.with_approval(copy))
            await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
            assert panel not in stage.app.screen_stack
            assert stage.app.context.guard.is_blocking
    assert stage.answers.calls == []


async def test_an_answer_under_the_help_closes_the_panel():
    """When the answer arrives, both the help and the panel close, and one answer was sent."""
    async with open_stage([_low()]) as (pilot, stage):
        await press(pilot, stage, "a", "tab")
        stage.answers.hold = threading.Event()
        await press(pilot, stage, "enter", "f1")
        assert isinstance(stage.app.screen, HelpScreen)
        stage.answers.hold.set()
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await pilot.pause()
        assert "Approved by alice" in screen_text(stage)
    assert len(stage.answers.calls) == 1
