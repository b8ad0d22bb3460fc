"""Waiting until a Textual app under test has nothing left to do, without fixed delays.

Owns: a replacement of Textual's own waiting, which sleeps until the whole process looks idle;
parsing the style sheets, which all apps share, only once; skipping frames that no test reads.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from textual._compositor import Compositor
from textual._context import active_app
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.css.types import CSSLocation

_MAX_SECONDS = 1.0
"""Processor time: a test may keep the loop busy on purpose, but a slow machine must not count."""
_QUIET_TURNS = 3
"""One turn of the loop receives what threads handed over; the next one shows the effect."""
_DRAW = Compositor.render_update
_SOON_SECONDS = 0.01
"""Timers that are due within this time are part of the current work; clocks tick slower."""


async def settled(*_: float) -> None:
    """Return when all message queues are empty and every change is drawn."""
    ends = time.process_time() + _MAX_SECONDS
    while time.process_time() < ends:
        await _quiet(ends)
        if not _draw_pending():
            return


@contextmanager
def settling_by_queue() -> Iterator[None]:
    """Make key presses and pauses of every pilot wait for `settled`."""
    with (
        mock.patch("textual.app.wait_for_idle", settled),
        mock.patch("textual.pilot.wait_for_idle", settled),
    ):
        yield


@contextmanager
def reading_styles_once() -> Iterator[None]:
    """Parse each style sheet once per text and variables, and share the rules between apps."""
    read: dict[object, list[RuleSet]] = {}
    parse = Stylesheet._parse_rules

    def parsed(self: Stylesheet, css: str, read_from: CSSLocation, **named: Any) -> list[RuleSet]:
        variables = tuple(sorted(self._variables.items()))
        key = (css, read_from, variables, tuple(sorted(named.items())))
        if key not in read:
            read[key] = parse(self, css, read_from, **named)
        return read[key]

    with mock.patch.object(Stylesheet, "_parse_rules", parsed):
        yield


@contextmanager
def drawing_on_demand() -> Iterator[None]:
    """Draw only what a test reads: a picture, or the lines of the screen.

    A headless app draws each frame and discards it, which takes a third of a test's time.
    """

    def drawn(self: Compositor, full: bool = False, **named: Any) -> Any:  # noqa: FBT001, FBT002  # Textual's signature
        if full:
            return _DRAW(self, full, **named)
        self._dirty_regions.clear()
        return None

    with mock.patch.object(Compositor, "render_update", drawn):
        yield


@contextmanager
def drawing_every_frame() -> Iterator[None]:
    """Draw every frame as a terminal does, for a test that counts frames."""
    with mock.patch.object(Compositor, "render_update", _DRAW):
        yield


async def _quiet(ends: float) -> None:
    """Let the loop run until it has had nothing to do for a few turns in a row."""
    loop, turns = asyncio.get_running_loop(), 0
    while turns < _QUIET_TURNS and time.process_time() < ends:
        due = _due(loop)
        await asyncio.sleep(max(0, due[0] - loop.time()) if due else 0)
        turns = 0 if due or loop._ready else turns + 1  # type: ignore[attr-defined]  # of asyncio's loops


def _due(loop: Any) -> list[float]:  # reads private attributes of asyncio's loops
    """Return the times of the timers that are due soon, in order."""
    soon = loop.time() + _SOON_SECONDS
    return sorted(
        timer.when() for timer in loop._scheduled if timer.when() < soon and not timer.cancelled()
    )


def _draw_pending() -> bool:
    """Let each visible screen draw now what is pending; report whether one had to draw."""
    app: Any = active_app.get()
    visible = [*app._background_screens, *app.screen_stack[-1:]]
    due = [screen for screen in visible if screen.is_running]
    due = [screen for screen in due if screen._update_timer._active.is_set()]
    for screen in due:
        screen._on_timer_update()
    return bool(due)
