"""In small terminals, title and focus of a panel are always visible."""

import pytest
from textual.widgets import Button

from approver_tui.widgets.approvals.narrow_form import NarrowForm
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.title_line import TitleLine
from tests.support.clients.driving import opened, press, shown, until
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval

SMALL = pytest.mark.parametrize("size", [(40, 12), (45, 20), (60, 20), (80, 24)], ids=str)
PANELS = pytest.mark.parametrize(
    ("key", "title"),
    [
        ("a", "Approve?"),
        ("d", "Deny?"),
        ("e", "With limits?"),
        ("s", "Similar?"),
        ("exclamation_mark", "Report?"),
    ],
)


def _is_in_sight(screen):
    """Inside the screen, and under neither title nor keys."""
    focused = screen.focused
    covers = [screen.query_one(TitleLine), screen.query_one(KeyBar)]
    return focused.region in screen.region and not any(
        focused.region.overlaps(each.region) for each in covers
    )


@SMALL
@PANELS
async def test_title_and_focus_are_always_visible(size, key, title):
    """Tab scrolls every control into view; risk and time left are in the title."""
    stage = a_stage([an_approval("pay")])
    async with opened(stage, size) as pilot:
        await press(pilot, stage, key)
        screen = stage.app.screen
        if key == "e":
            await until(pilot, lambda: bool(screen.query(NarrowForm)))
        await until(pilot, lambda: _is_in_sight(screen))
        buttons = set()
        for _ in range(len(screen.focus_chain)):
            assert f"{title}  HIGH RISK" in shown(stage)
            assert " left" in shown(stage).splitlines()[0]
            buttons |= {screen.focused.id} if isinstance(screen.focused, Button) else set()
            await press(pilot, stage, "tab")
            await until(pilot, lambda: _is_in_sight(screen))
        assert "back" in buttons
