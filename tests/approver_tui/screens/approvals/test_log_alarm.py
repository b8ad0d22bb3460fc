"""The banner about a changed audit log."""

import pytest

from approver_tui.client.audit.log_witness import WARNING
from approver_tui.state.notifications.connection import Phase
from approver_tui.state.text import SafeText
from tests.support.clients.driving import inbox, open_inbox, open_stage, tick_screen, until
from tests.support.fakes.fake_app import Stage, make_stage
from tests.support.fakes.fake_approvals import three_approvals

ALARM = SafeText("The audit log has 40 entries, but it had 52.")
SIZES = [(80, 24), (40, 24), (40, 12)]


def _banner(stage: Stage) -> str:
    """Return the banner of the current screen as one line."""
    lines = stage.app.screen.query_one("#alarm")
    assert lines.display == bool(str(lines.render()))
    return str(lines.render())


@pytest.mark.parametrize("size", SIZES)
async def test_the_banner_is_complete_at_every_size(size: tuple[int, int]) -> None:
    """The inbox, the pages and the approve panel show the full warning at every size."""
    stage = make_stage(three_approvals())
    stage.log_witness.alarm = ALARM
    async with open_inbox(stage, size) as pilot:
        await until(pilot, lambda: _banner(stage) == WARNING)
        height = stage.app.screen.query_one("#alarm").size.height
        assert height == (2 if size[0] == 80 else 3)
        tick_screen(stage)
        await pilot.press("a")
        await pilot.pause()
        assert _banner(stage) == WARNING
        await pilot.press("escape")
        tick_screen(stage)
        await pilot.press("2")
        await pilot.pause()
        assert _banner(stage) == WARNING


async def test_a_changed_log_is_noticed_with_the_next_connection() -> None:
    """The log is checked when the feed connects; the warning then stays while offline."""
    async with open_stage(three_approvals(), size=(80, 24)) as (pilot, stage):
        assert _banner(stage) == ""
        stage.log_witness.alarm = ALARM
        stage.feed.connect(Phase.OFFLINE)
        stage.feed.connect(Phase.LIVE)
        await until(pilot, lambda: inbox(stage).state.log_alarm == ALARM)
        stage.feed.connect(Phase.OFFLINE)
        await pilot.pause()
        assert _banner(stage) == WARNING
