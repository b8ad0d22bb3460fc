"""Waiting requests at other servers: one line, and never an alert."""

import pytest

from approver_tui.screens.approvals import inbox_base
from approver_tui.state.text import SafeText
from tests.support.clients.driving import NARROW, inbox, opened, shown, until
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_feed import FakeOthers

LOGIN = {"login": SafeText("default")}


async def test_waiting_requests_elsewhere_are_one_line():
    """It disappears when there are none, and it never alerts."""
    others = FakeOthers([{"work": 2, "home": 0}, {"work": 0, "home": 0}])
    stage = a_stage([an_approval("pay")], place=LOGIN, others=others)
    async with opened(stage) as pilot:
        await until(pilot, lambda: "Waiting elsewhere: 2 at work" in shown(stage))
        assert inbox(stage).state.selected == an_approval("pay").id
        inbox(stage)._calls.count_other_logins()
        await until(pilot, lambda: "Waiting elsewhere" not in shown(stage))
    assert stage.answers.given == []


async def test_an_unreachable_server_shows_the_age_of_its_count():
    """The app raises no alarm."""
    stage = a_stage(place=LOGIN, others=FakeOthers([{"work": 2}, {"work": None}]))
    async with opened(stage, NARROW) as pilot:
        await until(pilot, lambda: "2 at work" in shown(stage))
        stage.clock.move(180)
        inbox(stage)._calls.count_other_logins()
        await until(pilot, lambda: "2 (3 min ago) at work" in shown(stage))
        assert "OFFLINE" not in shown(stage)


async def test_the_next_count_is_half_a_minute_after_the_last(monkeypatch):
    """It never comes sooner."""
    others = FakeOthers([{"work": 2}])
    stage = a_stage(place=LOGIN, others=others)
    timers = []
    set_timer = inbox_base.InboxBase.set_timer

    def noted(screen, delay, *rest, **more):
        timers.append(delay)
        return set_timer(screen, delay, *rest, **more)

    monkeypatch.setattr(inbox_base.InboxBase, "set_timer", noted)
    async with opened(stage) as pilot:
        await until(pilot, lambda: "2 at work" in shown(stage))
        assert timers.count(30.0) == 1
        assert others.asked == 1


@pytest.mark.parametrize("login", ["", "default"])
async def test_with_one_login_nothing_is_counted(login):
    """If no server answers, there is no line."""
    others = FakeOthers([{"work": None}])
    stage = a_stage(place={"login": SafeText(login)}, others=others)
    async with opened(stage) as pilot:
        await until(pilot, lambda: others.asked == (1 if login else 0))
        assert "elsewhere" not in shown(stage)


async def test_a_short_screen_has_no_line_about_other_logins():
    """The settings page still has the numbers."""
    others = FakeOthers([{"work": 2}])
    stage = a_stage([an_approval("pay")], place=LOGIN, others=others)
    async with opened(stage, (40, 12)) as pilot:
        await until(pilot, lambda: bool(inbox(stage).state.other_logins.busy))
        assert "elsewhere" not in shown(stage)
