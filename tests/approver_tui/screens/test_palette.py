"""The command palette."""

import pytest

from approver_tui.screens.approvals.history import HistoryPage
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.operations.settings import SettingsPage
from approver_tui.screens.palette import Palette
from tests.support.clients.driving import opened, press, run_on, shown, until
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import three


async def test_the_palette_finds_commands():
    """Words or a key find them; Enter presses the key."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "colon")
        assert isinstance(stage.app.screen, Palette)
        await press(pilot, stage, *"panel", "down", "down", "up", "down", "enter")
        await until(pilot, lambda: not isinstance(stage.app.screen, Palette))
        await until(pilot, lambda: "Deny?" in shown(stage))
        await press(pilot, stage, "escape", "ctrl+p", *"zzz")
        assert "No matching command." in shown(stage)
        await press(pilot, stage, "enter")
        assert isinstance(stage.app.screen, InboxScreen)


async def test_the_palette_has_the_keys_of_its_page():
    """The command for filtering, chosen on the history, filters the history."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "2", "colon", *"filter", "enter")
        await until(pilot, lambda: isinstance(stage.app.screen, HistoryPage))
        await until(pilot, lambda: stage.app.screen.query_one("#filter").display)
        await press(pilot, stage, "escape", "colon", "escape")
        assert isinstance(stage.app.screen, HistoryPage)


async def test_the_palette_goes_to_every_page():
    """The name of the page finds it."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        for name, page in (("history", HistoryPage), ("settings", SettingsPage), ("inbox", None)):
            await press(pilot, stage, "colon", *name, "enter")
            wanted = InboxScreen if page is None else page
            await until(pilot, lambda wanted=wanted: isinstance(stage.app.screen, wanted))


async def test_fast_typing_through_the_palette_decides_nothing():
    """A panel that opens waits for quiet."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await run_on(pilot, stage, ["colon", *"approves", "enter", "tab", "tab", "enter", "y"] * 2)
        await pilot.pause()
    assert stage.answers.given == []


@pytest.mark.parametrize(
    ("thing", "page"), [("theme", "SETTINGS"), ("disable", "AGENTS"), ("receipt", "HISTORY")]
)
async def test_the_palette_finds_a_page_by_what_is_on_it(thing, page):
    """Nobody knows under which name a thing is filed."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "colon", *thing, "enter")
        await until(pilot, lambda: stage.app.screen.NAME.upper() == page)
