"""Pictures are SVG files.

The plug-in names the attribute of an older syrupy, which a newer one ignores and writes `.raw`.
Pictures are the same when they show the same: how a line was put together from parts, of which some
are empty, depends on what was drawn before it.
"""

import re
from collections.abc import Awaitable, Callable

import pytest
from pytest_textual_snapshot import SVGImageExtension
from textual.pilot import Pilot

from tests.support.fake_stage import Stage
from tests.support.pilots import is_live, look, press, until

_NOTHING = re.compile(r'<rect [^>]*width="0"[^>]*/>')


def _shows_the_same(_self: object, *, serialized_data: str, snapshot_data: str) -> bool:
    drawn, kept = (_NOTHING.sub("", picture) for picture in (serialized_data, snapshot_data))
    return drawn == kept


SVGImageExtension.file_extension = "svg"
SVGImageExtension.matches = _shows_the_same

Steps = Callable[[Pilot[None], Stage], Awaitable[None]]


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
