"""When a Textual app under test has settled: when nothing is left to do, not when a clock says so.

Owns: what stands in for Textual's own waiting, which sleeps until the whole process looks idle;
that style sheets, which every app has in common, are read once; that frames nobody looks at are not
drawn.
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

_LONGEST_SECONDS = 1.0
"""A test may keep the event loop busy on purpose; Textual gives up after as long."""
_QUIET_TURNS = 3
"""A turn of the loop takes in what threads handed over; the next shows what came of it."""
_DRAW = Compositor.render_update
_SOON_SECONDS = 0.01
"""What is to happen within this time belongs to what the app is doing; its clocks tick slower."""


async def settled(*_: float) -> None:
    """Return when no message waits in a queue and everything that changed is drawn."""
    ends = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < ends:
        await _quiet(ends)
        if not _drawn():
            return


@contextmanager
def settling_by_queue() -> Iterator[None]:
    """Let key presses and pauses of every pilot wait for `settled`."""
    with (
        mock.patch("textual.app.wait_for_idle", settled),
        mock.patch("textual.pilot.wait_for_idle", settled),
    ):
        yield


@contextmanager
def reading_styles_once() -> Iterator[None]:
    """Let every app take the rules that another has read from the same text and variables."""
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
    """Draw only what a test looks at: a picture, or the lines of the screen.

    A headless app draws each frame and throws it away, which takes a third of a test.
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
    """Draw as a terminal does, for a test that counts what is drawn."""
    with mock.patch.object(Compositor, "render_update", _DRAW):
        yield


async def _quiet(ends: float) -> None:
    """Let the loop turn until it has had nothing to do a few times in a row."""
    loop, turns = asyncio.get_running_loop(), 0
    while turns < _QUIET_TURNS and time.monotonic() < ends:
        due = _due(loop)
        await asyncio.sleep(max(0, due[0] - loop.time()) if due else 0)
        turns = 0 if due or loop._ready else turns + 1  # type: ignore[attr-defined]  # of asyncio's loops


def _due(loop: Any) -> list[float]:  # any loop of asyncio; what it keeps is nobody's but its own
    """When something is to happen soon, in order."""
    soon = loop.time() + _SOON_SECONDS
    return sorted(
        each.when() for each in loop._scheduled if each.when() < soon and not each.cancelled()
    )


def _drawn() -> bool:
    """Draw now what each visible screen would draw at its next tick; reports whether one did."""
    app: Any = active_app.get()
    visible = [*app._background_screens, *app.screen_stack[-1:]]
    due = [one for one in visible if one.is_running]
    due = [one for one in due if one._update_timer._active.is_set()]
    for screen in due:
        screen._on_timer_update()
    return bool(due)
