"""Pictures are SVG files, one for each size of the window.

An app runs once: it is drawn after it opens, and again after each change of the window size.
Two pictures are equal if they look the same. Their SVG text may differ, because the way a line is
split into segments, and the names of styles, depend on what was drawn before.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.app import App
from textual.pilot import Pilot

from tests.support.clients.driving import NARROW, WIDE, is_live, press, settle, tick_screen, until
from tests.support.clients.settling import drawing_on_demand, reading_styles_once, settling_by_queue
from tests.support.fakes.fake_app import Stage

_TURNS = 400
"""A picture waits longer than a key press for threads to end."""
_EMPTY_RECT = re.compile(r'<rect [^>]*width="0"[^>]*/>')
_STYLE = re.compile(r"\.(terminal-\d+-r\d+) \{ (.*?) \}\n?")
Size = tuple[int, int]
Steps = Callable[[Pilot[None], Stage], Awaitable[None]]


class Picture(SingleFileSnapshotExtension):
    """An SVG file that differs from another only if it shows something else."""

    file_extension = "svg"
    _write_mode = WriteMode.TEXT

    def matches(self, *, serialized_data: Any, snapshot_data: Any) -> bool:
        """Return whether both pictures show the same."""
        return _inline_styles(serialized_data) == _inline_styles(snapshot_data)


def _inline_styles(picture: str) -> str:
    """Return the picture with each style in place of the style's name."""
    styles = dict(_STYLE.findall(picture))
    bare = _STYLE.sub("", _EMPTY_RECT.sub("", picture))
    styled = re.sub(r"terminal-\d+-r\d+", lambda name: styles.get(name[0], name[0]), bare)
    return re.sub(r"terminal-\d+", "terminal", styled)


@pytest.fixture(autouse=True, scope="session")
def _settling() -> Iterator[None]:
    with settling_by_queue(), reading_styles_once(), drawing_on_demand():
        yield


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until everything is drawn."""
    await pilot.wait_for_scheduled_animations()
    await pilot.pause()


@pytest.fixture
def differing_sizes(snapshot: SnapshotAssertion) -> Callable[..., list[str]]:
    """Return a function that lists the sizes at which an app differs from its stored pictures."""
    stored = snapshot.use_extension(Picture)

    def differing(
        app: App[Any],
        steps: Callable[[Pilot[Any]], Awaitable[None]] = settled,
        sizes: tuple[Size, ...] = (WIDE, NARROW),
        resized: Callable[[Pilot[Any]], Awaitable[None]] = settled,
    ) -> list[str]:
        drawings = asyncio.run(_draw_sizes(app, steps, sizes, resized))
        return [name for name, picture in drawings.items() if picture != stored(name=name)]

    return differing


async def _draw_sizes(
    app: App[Any],
    steps: Callable[[Pilot[Any]], Awaitable[None]],
    sizes: tuple[Size, ...],
    resized: Callable[[Pilot[Any]], Awaitable[None]],
) -> dict[str, str]:
    """Return the app's picture after these steps, for each size."""
    drawings = {}
    async with app.run_test(size=sizes[0], notifications=True) as pilot:
        await steps(pilot)
        for size in sizes:
            if size != sizes[0]:
                await pilot.resize_terminal(*size)
                await resized(pilot)
            await settled(pilot)
            drawings["{}x{}".format(*size)] = app.export_screenshot(title=app.title, simplify=True)
    return drawings


@pytest.fixture
def picture(differing_sizes: Callable[..., list[str]]) -> Callable[..., bool]:
    """Compare the screen after some steps with the pictures in the repository.

    `again` lists keys to press again at each size, for positions that depend on the window size.
    """

    def compare(
        stage: Stage,
        *keys: str,
        then: Steps | None = None,
        sizes: tuple[Size, ...] = (WIDE, NARROW),
        again: tuple[str, ...] = (),
    ) -> bool:
        async def steps(pilot: Pilot[None]) -> None:
            await until(pilot, lambda: is_live(stage))
            await settle(pilot, stage, turns=_TURNS)
            stage.clock.move(1)
            await press(pilot, stage, *keys)
            if then is not None:
                await then(pilot, stage)
            await redraw(pilot)

        async def redraw(pilot: Pilot[None]) -> None:
            if again:
                await press(pilot, stage, *again)
            tick_screen(stage)
            await pilot.pause()
            await settle(pilot, stage, turns=_TURNS)

        assert differing_sizes(stage.app, steps, sizes, redraw) == []
        return True

    return compare
