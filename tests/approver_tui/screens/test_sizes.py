"""Screens and panels at each size: nothing is cut off; title, keys and focus are visible."""

import re

import pytest

from approver_tui.widgets.approvals.batch_table import BatchTable
from approver_tui.widgets.approvals.narrow_form import NarrowForm
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.title_line import TitleLine
from tests.support.builders.batches import ONE, THREE, TWO, open_batch, select
from tests.support.clients.driving import (
    open_inbox,
    open_stage,
    press,
    screen_text,
    tick_screen,
    until,
)
from tests.support.fakes.fake_account import a_consent, a_token
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, three_approvals
from tests.support.pictures.matrix import MATRIX

SIZES = [(200, 60), (100, 30), (80, 24), (40, 24), (40, 12)]
SCREENS = {
    "": ("InboxScreen", "WAITING FOR YOU (3)", "? Help", "q Quit"),
    "enter": ("InboxScreen", "HIGH RISK", "? Help"),
    "enter v": ("InboxScreen", "? Help"),
    "slash": ("InboxScreen", "words"),
    "o": ("OpenElsewherePanel", "Esc Back"),
    "question_mark": ("HelpScreen", "Esc"),
    "colon": ("Palette", "Esc"),
    "2": ("HistoryPage", "HISTORY (0)", "Esc Back"),
    "3": ("AgentsPage", "ACTING FOR YOU (1)", "Esc Back"),
    "3 z": ("ConfirmPanel", "Revoke access", "Esc Back"),
    "4": ("RightsPage", "Esc Back"),
    "5": ("DevicesPage", "DEVICES (1)", "Esc Back"),
    "5 enter": ("DevicesPage", "laptop", "Esc Back"),
    "6": ("SettingsPage", "SETTINGS", "Esc Back"),
}
PANELS = {
    "a": ("ApprovePanel", "Approve?"),
    "d": ("DenyPanel", "Deny?"),
    "e": ("NarrowPanel", "With limits?"),
    "s": ("StandingGrantPanel", "Similar?"),
    "exclamation_mark": ("ReportPanel", "Report?"),
}
BATCHES = {"a": ("BatchApprovePanel", "Approve 3?"), "d": ("BatchDenyPanel", "Deny 3?")}
TESTED_ELSEWHERE = {
    *("SignInScreen", "DeviceAuthorizationPanel"),  # `test_signing_in.py`
    "OpeningScreen",  # a line while the app loads
    "ResultsPanel",  # `test_results_panel.py`
}


def test_every_screen_is_tested_at_every_size():
    """A new screen fails here until a table lists it or another test draws it."""
    tables = (SCREENS, PANELS, BATCHES)
    named = {row[0] for table in tables for row in table.values()}
    assert named | TESTED_ELSEWHERE == set(MATRIX)


async def _each_size(pilot, stage):
    """Change the terminal to each size, check that nothing is cut, and yield the size."""
    for size in SIZES:
        await pilot.resize_terminal(*size)
        tick_screen(stage)
        await pilot.pause()
        assert _cut_widgets(stage.app.screen) == [], (size, screen_text(stage))
        yield size


def _cut_widgets(screen):
    """Return the widgets that are partly outside the screen and cannot be scrolled to."""
    return [
        (widget, widget.region)
        for widget in screen.walk_children()
        if widget.display
        and not any(
            getattr(ancestor, "allow_vertical_scroll", False) for ancestor in widget.ancestors
        )
        and not screen.region.contains_region(widget.region)
    ]


def _is_focus_visible(screen):
    """Return whether the focused widget is on the screen and not covered by any other part."""
    focused = screen.focused
    covers = [screen.query_one(TitleLine), screen.query_one(KeyBar)]
    return focused.region in screen.region and not any(
        focused.region.overlaps(cover.region) for cover in covers
    )


@pytest.mark.parametrize("keys", SCREENS)
async def test_a_screen_shows_its_title_and_keys(keys):
    """At every size, a screen shows what it is and how to leave it."""
    name, *words = SCREENS[keys]
    stage = make_stage(three_approvals())
    stage.server.given, stage.server.tokens = [a_consent()], [a_token()]
    async with open_inbox(stage, SIZES[0]) as pilot:
        await press(pilot, stage, *keys.split())
        async for size in _each_size(pilot, stage):
            assert type(stage.app.screen).__name__ == name
            assert all(word in screen_text(stage) for word in words), (size, screen_text(stage))


@pytest.mark.parametrize("key", PANELS)
async def test_a_panel_shows_its_title_and_every_control(key):
    """Tab scrolls each control into view; risk and time left stay in the title."""
    name, title = PANELS[key]
    async with open_stage([an_approval("pay")], size=SIZES[0]) as (pilot, stage):
        await press(pilot, stage, key)
        screen = stage.app.screen
        assert type(screen).__name__ == name
        if key == "e":
            await until(pilot, lambda: bool(screen.query(NarrowForm)))
        async for size in _each_size(pilot, stage):
            focused = {
                await _tab(pilot, stage, title, size) for _ in range(len(screen.focus_chain))
            }
            assert "back" in focused


async def _tab(pilot, stage, title, size):
    """Press Tab, check the title, and return the ID of the focused widget."""
    screen = stage.app.screen
    await press(pilot, stage, "tab")
    await until(pilot, lambda: _is_focus_visible(screen))
    (line,) = (row for row in screen_text(stage).splitlines() if f"{title}  HIGH RISK" in row)
    assert " left" in line, size
    return screen.focused.id


@pytest.mark.parametrize("key", BATCHES)
async def test_a_batch_shows_its_requests(key):
    """A batch shows what its requests do, unless the smallest terminal has no room for it."""
    name, title = BATCHES[key]
    rows = [ONE, TWO, THREE]
    async with open_stage(rows, size=SIZES[0]) as (pilot, stage):
        await select(pilot, stage, *rows)
        await open_batch(pilot, stage, key)
        async for size in _each_size(pilot, stage):
            assert type(stage.app.screen).__name__ == name
            assert title in screen_text(stage), size
            assert "Pay EUR" in screen_text(stage).partition("Selected:")[0] or size == SIZES[-1]
            assert _count_below(stage) == stage.app.screen.query_one(BatchTable).rows_below


def _count_below(stage):
    match = re.search(r"more below: (\d+) lines", screen_text(stage))
    return int(match[1]) if match else 0
