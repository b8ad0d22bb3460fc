"""Requests that wait at other servers are one line in the inbox and never alert."""

import pytest

from approver_tui.screens.approvals import inbox_base
from approver_tui.state.text import SafeText
from tests.support.clients.driving import (
    NARROW,
    inbox,
    open_inbox,
    open_stage,
    screen_text,
    until,
    until_shown,
)
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_feed import FakeOthers

LOGIN = {"login": SafeText("default")}


async def test_waiting_requests_elsewhere_are_one_line():
    """The line names each server with waiting requests, and disappears if there are none."""
    others = FakeOthers([{"work": 2, "home": 0}, {"work": 0, "home": 0}])
    async with open_stage([an_approval("pay")], environment=LOGIN, others=others) as (pilot, stage):
        await until_shown(pilot, stage, "Waiting elsewhere: 2 at work")
        assert inbox(stage).state.cursor_id == an_approval("pay").id
        inbox(stage)._calls.count_other_logins()
        await until(pilot, lambda: "Waiting elsewhere" not in screen_text(stage))
    assert stage.answers.calls == []


async def test_an_unreachable_server_shows_the_age_of_its_count():
    """An unreachable other server does not make the app say OFFLINE."""
    async with open_stage(
        environment=LOGIN, others=FakeOthers([{"work": 2}, {"work": None}]), size=NARROW
    ) as (pilot, stage):
        await until_shown(pilot, stage, "2 at work")
        stage.clock.move(180)
        inbox(stage)._calls.count_other_logins()
        await until_shown(pilot, stage, "2 (3 min ago) at work")
        assert "OFFLINE" not in screen_text(stage)


async def test_the_next_count_is_half_a_minute_after_the_last(monkeypatch):
    """After one count, the timer for the next is 30 seconds."""
    others = FakeOthers([{"work": 2}])
    stage = make_stage(environment=LOGIN, others=others)
    timers = []
    set_timer = inbox_base.InboxBase.set_timer

    def record_timer(screen, delay, *args, **kwargs):
        timers.append(delay)
        return set_timer(screen, delay, *args, **kwargs)

    monkeypatch.setattr(inbox_base.InboxBase, "set_timer", record_timer)
    async with open_inbox(stage) as pilot:
        await until_shown(pilot, stage, "2 at work")
        assert timers.count(30.0) == 1
        assert others.asked == 1


@pytest.mark.parametrize("login", ["", "default"])
async def test_without_a_count_there_is_no_line(login):
    """Without a named login nothing is counted, and a server without an answer has no line."""
    others = FakeOthers([{"work": None}])
    async with open_stage(environment={"login": SafeText(login)}, others=others) as (pilot, stage):
        await until(pilot, lambda: others.asked == (1 if login else 0))
        assert "elsewhere" not in screen_text(stage)


async def test_a_short_screen_has_no_line_about_other_logins():
    """On a short screen the count is loaded but not shown in the inbox."""
    others = FakeOthers([{"work": 2}])
    async with open_stage(
        [an_approval("pay")], environment=LOGIN, others=others, size=(40, 12)
    ) as (
        pilot,
        stage,
    ):
        await until(
            pilot, lambda: any(login.count for login in inbox(stage).state.other_logins.values())
        )
        assert "elsewhere" not in screen_text(stage)
