"""Pictures are SVG files.

The plug-in names the attribute of an older syrupy, which a newer one ignores and writes `.raw`.
Pictures are the same when they show the same: how a line was put together from parts, of which some
are empty or blank, depends on what was drawn before it, and so do the names of their styles.
"""

import re
from collections.abc import Awaitable, Callable, Iterator

import pytest
from pytest_textual_snapshot import SVGImageExtension
from textual.pilot import Pilot

from tests.support.clients.driving import is_live, look, press, until
from tests.support.clients.settling import drawing_on_demand, reading_styles_once, settling_by_queue
from tests.support.fakes.fake_app import Stage

_NOTHING = re.compile(r'<rect [^>]*width="0"[^>]*/>')
_STYLE = re.compile(r"\.(terminal-\d+-r\d+) \{ (.*?) \}\n?")


def _shows_the_same(_self: object, *, serialized_data: str, snapshot_data: str) -> bool:
    return _shown(serialized_data) == _shown(snapshot_data)


def _shown(picture: str) -> str:
    """The picture with each style in the place of its name."""
    styles = dict(_STYLE.findall(picture))
    bare = _STYLE.sub("", _NOTHING.sub("", picture))
    styled = re.sub(r"terminal-\d+-r\d+", lambda name: styles.get(name[0], name[0]), bare)
    return re.sub(r"terminal-\d+", "terminal", styled)


SVGImageExtension.file_extension = "svg"
SVGImageExtension.matches = _shows_the_same

Steps = Callable[[Pilot[None], Stage], Awaitable[None]]


@pytest.fixture(autouse=True, scope="session")
def _settling() -> Iterator[None]:
    with settling_by_queue(), reading_styles_once(), drawing_on_demand():
        yield


@pytest.fixture
def picture(snap_compare):
    """Compare the screen after some steps with the picture in the repository."""

    def compare(stage: Stage, size: tuple[int, int], *keys: str, then: Steps | None = None) -> bool:
        async def steps(pilot: Pilot[None]) -> None:
            await until(pilot, lambda: is_live(stage))
            stage.clock.move(1)
            await press(pilot, stage, *keys)
            if then is not None:
                await then(pilot, stage)
            look(stage)
            await pilot.pause()

        return snap_compare(stage.app, terminal_size=size, run_before=steps)

    return compare
