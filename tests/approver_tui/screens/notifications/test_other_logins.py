"""What waits at other servers: one quiet line, a number beside each, and never a call."""

import pytest

from approver_tui.screens.approvals import inbox_base
from approver_tui.state.text import SafeText
from tests.support.clients.driving import NARROW, inbox, opened, shown, until
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_feed import FakeOthers

LOGIN = {"login": SafeText("default")}


async def test_how_many_wait_elsewhere_is_one_line_below():
    """It goes when nothing waits there any more, and nobody is called for it."""
    others = FakeOthers([{"work": 2, "home": 0}, {"work": 0, "home": 0}])
    stage = a_stage([an_approval("pay")], place=LOGIN, others=others)
    async with opened(stage) as pilot:
        await until(pilot, lambda: "Waiting elsewhere: 2 at work" in shown(stage))
        assert inbox(stage).state.selected == an_approval("pay").id
        inbox(stage)._calls.count_elsewhere()
        await until(pilot, lambda: "Waiting elsewhere" not in shown(stage))
    assert stage.answers.given == []


async def test_a_server_that_does_not_answer_shows_its_age_and_no_alarm():
    """What it said stays, as old as it is."""
    stage = a_stage(place=LOGIN, others=FakeOthers([{"work": 2}, {"work": None}]))
    async with opened(stage, NARROW) as pilot:
        await until(pilot, lambda: "2 at work" in shown(stage))
        stage.clock.move(180)
        inbox(stage)._calls.count_elsewhere()
        await until(pilot, lambda: "2 (3 min ago) at work" in shown(stage))
        assert "OFFLINE" not in shown(stage)


async def test_the_next_look_is_half_a_minute_after_an_answer(monkeypatch):
    """Never sooner: it is set by what came, and not by a clock of its own."""
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
async def test_with_one_login_nobody_is_asked(login):
    """And where nobody says anything there is no line."""
    others = FakeOthers([{"work": None}])
    stage = a_stage(place={"login": SafeText(login)}, others=others)
    async with opened(stage) as pilot:
        await until(pilot, lambda: others.asked == (1 if login else 0))
        assert "elsewhere" not in shown(stage)


async def test_on_a_few_lines_all_are_for_what_waits_here():
    """The page of settings still has the number."""
    others = FakeOthers([{"work": 2}])
    stage = a_stage([an_approval("pay")], place=LOGIN, others=others)
    async with opened(stage, (40, 12)) as pilot:
        await until(pilot, lambda: bool(inbox(stage).state.elsewhere.busy))
        assert "elsewhere" not in shown(stage)
