"""Drives the terminal app with fakes.

Owns: waiting for messages from threads, pressing keys with or without pauses between them.
Never: bypasses the event loop; keys, clicks and pastes enter where the driver puts them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.page import Page
from approver_tui.screens.panel import Overlay
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.notifications.connection import Phase
from approver_tui.widgets.sheet import Sheet
from tests.support.fakes.fake_app import Stage, make_stage

WIDE = (100, 30)
NARROW = (40, 24)
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["100x30", "40x24"])
"""The two sizes at which every screen is tested."""

_MAX_ATTEMPTS = 1_000
_TURNS = 40


@asynccontextmanager
async def open_inbox(stage: Stage, size: tuple[int, int] = WIDE) -> AsyncIterator[Pilot[None]]:
    """Run the app until its inbox is loaded and live and the guard no longer holds back keys."""
    async with stage.app.run_test(size=size) as pilot:
        await until(pilot, lambda: is_live(stage))
        await settle(pilot, stage)
        stage.clock.move(1)
        yield pilot
        if stage.app.is_running:
            screen_text(stage)  # checks that the last screen can be drawn


@asynccontextmanager
async def open_stage(
    approvals: Iterable[Approval] = (), size: tuple[int, int] = WIDE, **options: Any
) -> AsyncIterator[tuple[Pilot[None], Stage]]:
    """Run the app as `open_inbox` does, with these requests and options of its stage."""
    stage = make_stage(approvals, **options)
    async with open_inbox(stage, size) as pilot:
        yield pilot, stage


def is_live(stage: Stage) -> bool:
    """Report whether the inbox is loaded (also after a sleep) and the feed is connected."""
    screen = find_inbox(stage)
    state = None if screen is None else screen.state
    return state is not None and (
        state.is_loaded and not state.is_incomplete and state.connection.is_live
    )


def find_inbox(stage: Stage) -> InboxScreen | None:
    """Return the inbox screen, wherever it is in the stack."""
    screens = [screen for screen in stage.app.screen_stack if isinstance(screen, InboxScreen)]
    return screens[0] if screens else None


def inbox(stage: Stage) -> InboxScreen:
    """Return the inbox screen of an opened app."""
    screen = find_inbox(stage)
    assert screen is not None
    return screen


async def until(
    pilot: Pilot[None], condition: Callable[[], bool], max_attempts: int = _MAX_ATTEMPTS
) -> None:
    """Wait until a condition is true, and check it at most `max_attempts` times."""
    for _ in range(max_attempts):
        await pilot.pause()
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("The condition never became true.")


async def until_shown(pilot: Pilot[None], stage: Stage, text: str) -> None:
    """Wait until a text is on the screen."""
    await until(pilot, lambda: text in screen_text(stage))


async def wait_for_page(pilot: Pilot[None], stage: Stage) -> None:
    """Wait until a page is open and has loaded its data."""

    def is_loaded() -> bool:
        screen: Screen[object] = stage.app.screen
        return isinstance(screen, Page) and screen.page_data is not None

    await until(pilot, is_loaded)


def on_page(*keys: str) -> Callable[[Pilot[None], Stage], Awaitable[None]]:
    """Return steps that wait until a page has loaded its data, and then press keys."""

    async def press_keys(pilot: Pilot[None], stage: Stage) -> None:
        await wait_for_page(pilot, stage)
        await press(pilot, stage, *keys)

    return press_keys


async def run_loop_turns(count: int) -> None:
    """Let the event loop run this many turns: the shortest wait there is."""
    for _ in range(count):
        await asyncio.sleep(0)


async def press(pilot: Pilot[None], stage: Stage, *keys: str) -> None:
    """Press keys like an attentive person: pause a second before and after each key."""
    for key in keys:
        stage.clock.move(1)
        await pilot.press(key)
        await settle(pilot, stage)
        stage.clock.move(1)
        tick_screen(stage)
    await pilot.pause()
    await settle(pilot, stage)


async def settle(pilot: Pilot[None], stage: Stage, turns: int = _TURNS) -> None:
    """Wait until the threads that a key started have ended, unless a test blocks them."""
    for _ in range(turns):
        if not any(worker.is_running for worker in stage.app.workers):
            return
        await asyncio.sleep(0.005)
        await pilot.pause()


async def type_quickly(
    pilot: Pilot[None], stage: Stage, keys: list[str], interval: float = 0.05
) -> None:
    """Type without pauses, one key every `interval` seconds."""
    for key in keys:
        stage.clock.move(interval)
        await pilot.press(key)


def pass_time(stage: Stage, seconds: float) -> None:
    """Move the clock, and let the app read it."""
    stage.clock.move(seconds)
    tick_screen(stage)


def tick_screen(stage: Stage) -> None:
    """Let the app read its clock now, without waiting for its next tick."""
    screen: Screen[object] = stage.app.screen
    if isinstance(screen, Overlay):
        screen.update_panel()
    elif isinstance(screen, InboxScreen):
        screen.tick()
    for page in stage.app.screen_stack:
        if isinstance(page, Page):
            page.draw()


async def disconnect(pilot: Pilot[None], stage: Stage, why: str) -> None:
    """Disconnect the app from the server, right after a tick, so that it knows the data's age."""
    inbox(stage).tick()
    stage.feed.connect(Phase.OFFLINE, why)
    await until(pilot, lambda: not inbox(stage).state.connection.is_live)


async def paste(pilot: Pilot[None], stage: Stage, text: str) -> None:
    """Paste as a terminal does."""
    _send(stage, events.Paste(text))
    await pilot.pause()


async def click(pilot: Pilot[None], stage: Stage, widget: Widget) -> None:
    """Press and release the mouse on a widget, as the driver reports it."""
    x, y = widget.region.x + 1, widget.region.y
    for kind in (events.MouseDown, events.MouseUp):
        _send(stage, kind(None, x, y, 0, 0, 1, False, False, False, x, y))  # noqa: FBT003  # Textual's signature
    await pilot.pause()


async def blur_window(pilot: Pilot[None], stage: Stage) -> None:
    """Take the focus away from the terminal's window."""
    _send(stage, events.AppBlur())
    await pilot.pause()


async def focus_window(pilot: Pilot[None], stage: Stage) -> None:
    """Give the focus back to the terminal's window."""
    _send(stage, events.AppFocus())
    await pilot.pause()


def screen_text(stage: Stage) -> str:
    """Return the characters on the screen."""
    strips = stage.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def read_rows(pilot: Pilot[None], stage: Stage, kind: type[Sheet]) -> list[str]:
    """Return the rows that a person sees when they scroll down a sheet row by row."""
    sheet = stage.app.screen.query_one(kind)
    await pilot.press("g")
    rows = dict(enumerate(_rows_of(stage, sheet)))
    while sheet.scroll_y < sheet.max_scroll_y:
        await pilot.press("j")
        rows |= dict(enumerate(_rows_of(stage, sheet), sheet.scroll_offset.y))
    return [rows[number] for number in range(sheet.virtual_size.height)]


def _rows_of(stage: Stage, sheet: Sheet) -> list[str]:
    region = sheet.scrollable_content_region
    strips = stage.app.screen._compositor.render_strips()[region.y : region.bottom]
    cut = [strip.crop(region.x, region.right) for strip in strips]
    return ["".join(segment.text for segment in strip).rstrip() for strip in cut]


def _send(stage: Stage, event: events.Event) -> None:
    driver = stage.app._driver
    assert driver is not None
    driver.send_message(event)
