"""The divider between list and details can be dragged with the mouse."""

import pytest

from tests.support.clients.driving import NARROW, WIDE, open_stage, press
from tests.support.fakes.fake_approvals import three_approvals


async def _drag(pilot, stage, to):
    pane = stage.app.screen.query_one("#reading")
    x, y = pane.region.x, pane.region.y + 5
    await pilot.mouse_down(offset=(x, y))
    await pilot.hover(offset=(to, y))
    await pilot.mouse_up(offset=(to, y))
    await pilot.pause()
    return pane.region.x


@pytest.mark.parametrize("page", ["1", "2"], ids=["inbox", "page"])
async def test_the_divider_can_be_dragged_within_limits(page):
    """The divider stops while both sides are wide enough; later mouse moves do not drag it."""
    async with open_stage(three_approvals(), size=WIDE) as (pilot, stage):
        await press(pilot, stage, page)
        assert await _drag(pilot, stage, 60) == pytest.approx(60, abs=1)
        assert await _drag(pilot, stage, WIDE[0] - 1) == pytest.approx(0.7 * WIDE[0], abs=1)
        position = stage.app.screen.query_one("#reading").region.x
        await pilot.hover(offset=(45, 9))
        assert stage.app.screen.query_one("#reading").region.x == position


async def test_a_narrow_screen_has_no_divider():
    """On a narrow screen the list has the full width, even if the divider was dragged."""
    async with open_stage(three_approvals(), size=WIDE) as (pilot, stage):
        await _drag(pilot, stage, 60)
        await pilot.resize_terminal(*NARROW)
        await pilot.pause()
        assert stage.app.screen.query_one("#list").region.width == NARROW[0]
