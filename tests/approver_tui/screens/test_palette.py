"""The command palette."""

import pytest

from approver_tui.screens.approvals.history import HistoryPage
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.operations.settings import SettingsPage
from approver_tui.screens.palette import Palette
from tests.support.clients.driving import (
    open_stage,
    press,
    screen_text,
    type_quickly,
    until,
    until_shown,
)
from tests.support.fakes.fake_approvals import three_approvals


async def test_the_palette_finds_commands():
    """Typed words find a command, arrows choose among the matches, and Enter runs it."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "colon")
        assert isinstance(stage.app.screen, Palette)
        await press(pilot, stage, *"panel", "down", "down", "up", "down", "enter")
        await until(pilot, lambda: not isinstance(stage.app.screen, Palette))
        await until_shown(pilot, stage, "Deny?")
        await press(pilot, stage, "escape", "ctrl+p", *"zzz")
        assert "No matching command." in screen_text(stage)
        await press(pilot, stage, "enter")
        assert isinstance(stage.app.screen, InboxScreen)


async def test_the_palette_offers_the_commands_of_the_current_page():
    """In the history, the filter command filters the history."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "2", "colon", *"filter", "enter")
        await until(pilot, lambda: isinstance(stage.app.screen, HistoryPage))
        await until(pilot, lambda: stage.app.screen.query_one("#filter").display)
        await press(pilot, stage, "escape", "colon", "escape")
        assert isinstance(stage.app.screen, HistoryPage)


async def test_the_palette_goes_to_every_page():
    """Typing the name of a page finds the command that opens it."""
    async with open_stage(three_approvals()) as (pilot, stage):
        for name, page in (("history", HistoryPage), ("settings", SettingsPage), ("inbox", None)):
            await press(pilot, stage, "colon", *name, "enter")
            expected = InboxScreen if page is None else page
            await until(pilot, lambda expected=expected: isinstance(stage.app.screen, expected))


async def test_fast_typing_in_the_palette_makes_no_decision():
    """A panel that the palette opened ignores keys until there is a pause."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await type_quickly(
            pilot, stage, ["colon", *"approves", "enter", "tab", "tab", "enter", "y"] * 2
        )
        await pilot.pause()
    assert stage.answers.calls == []


@pytest.mark.parametrize(
    ("thing", "page"), [("theme", "SETTINGS"), ("disable", "AGENTS"), ("receipt", "HISTORY")]
)
async def test_the_palette_finds_a_page_by_what_is_on_it(thing, page):
    """A user does not have to know the name of a page to find what is on it."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "colon", *thing, "enter")
        await until(pilot, lambda: stage.app.screen.NAME.upper() == page)
