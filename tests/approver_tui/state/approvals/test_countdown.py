"""The last minute and the last twenty seconds are each reported once."""

from approver_tui.state.approvals.countdown import CountdownStage, countdown_stage, stage_reached
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import DEPLOY

ONE, TWO = (
    an_approval(name, DEPLOY, expires_in=left) for name, left in (("one", 90_000), ("two", 95_000))
)


def test_there_are_two_countdown_stages():
    """The stages begin at exactly 60 and 20 seconds."""
    assert countdown_stage(NOW + 60_001, NOW) is None
    assert countdown_stage(NOW + 60_000, NOW) is CountdownStage.LAST_MINUTE
    assert countdown_stage(NOW + 20_000, NOW) is CountdownStage.LAST_SECONDS
    assert countdown_stage(NOW, NOW) is None
    assert [stage.words for stage in CountdownStage] == ["LAST 20 SECONDS", "LAST MINUTE"]
    assert [stage.verb for stage in CountdownStage] == ["ENDS", "ends"]


def test_each_stage_is_reached_once():
    """Requests that reach a stage at the same time are reported together."""
    rows = (ONE, TWO)
    assert stage_reached(rows, NOW, NOW + 29_000) is None
    assert stage_reached(rows, NOW + 29_000, NOW + 31_000) == (CountdownStage.LAST_MINUTE, (ONE,))
    assert stage_reached(rows, NOW + 31_000, NOW + 32_000) is None
    assert stage_reached(rows, NOW, NOW + 40_000) == (CountdownStage.LAST_MINUTE, (ONE, TWO))


def test_after_a_gap_the_nearest_stage_is_reported():
    """Requests that expired during the gap are left out."""
    rows = (ONE, TWO)
    assert stage_reached(rows, NOW, NOW + 72_000) == (CountdownStage.LAST_SECONDS, (ONE,))
    assert stage_reached(rows, NOW, NOW + 91_000) == (CountdownStage.LAST_SECONDS, (TWO,))
    assert stage_reached(rows, NOW, NOW + 99_000) is None
