"""Requests that look alike: one row on the screen, an answer for each."""

from approver_tui.state.approvals.decision import Answer
from tests.support.clients.driving import inbox, opened, press, shown, until
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_requests import DEPLOY, MINUTE

FLOOD = [an_approval(f"flood {n}", DEPLOY, left=(5 + n) * MINUTE) for n in range(4)]
PAY = an_approval("pay", left=4 * MINUTE)


def _waiting(stage):
    return [each.id for each in FLOOD if stage.server.approvals[each.id].is_waiting(0)]


async def test_they_stand_in_one_row_and_can_be_opened():
    """The count of what waits stays true; `+` lists them one by one, and again in one row."""
    stage = a_stage([PAY, *FLOOD])
    async with opened(stage) as pilot:
        text = shown(stage)
        assert "WAITING FOR YOU (5)" in text
        assert text.count("MED") == 1
        assert "x 4" in text
        await press(pilot, stage, "j", "+")
        assert inbox(stage).state.selected == FLOOD[0].id
        assert shown(stage).count("of 4 alike") == 4
        await press(pilot, stage, "j", "j")
        assert inbox(stage).state.selected == FLOOD[2].id
        await press(pilot, stage, "+")
        assert "x 4" in shown(stage)
        assert inbox(stage).state.selected == FLOOD[2].id


async def test_an_answer_is_to_the_one_that_is_shown():
    """It is said before, and the others wait on; the row keeps its place and counts them."""
    stage = a_stage([PAY, *FLOOD])
    async with opened(stage) as pilot:
        await press(pilot, stage, "j")
        assert "One of 4 that look alike. Your answer" in shown(stage)
        await press(pilot, stage, "a", "tab", "enter")
        await until(pilot, lambda: bool(stage.answers.given))
        await until(pilot, lambda: "x 4, 3 wait" in shown(stage))
        assert stage.answers.given == [(FLOOD[0].id, Answer.APPROVE, None)]
        assert _waiting(stage) == [each.id for each in FLOOD[1:]]
        await press(pilot, stage, "k", "j")
        assert inbox(stage).state.selected == FLOOD[1].id


async def test_a_higher_risk_is_never_in_the_row_of_a_lower_one():
    """The same words at another risk stand on their own."""
    high = an_approval("high", DEPLOY, risk="high", left=9 * MINUTE)
    stage = a_stage([*FLOOD, high])
    async with opened(stage):
        assert "x 4" in shown(stage)
        assert "!! HIGH" in shown(stage)


async def test_one_that_arrives_moves_nothing_and_joins_no_row():
    """It stands below the divider until the person sorts it in."""
    stage = a_stage(FLOOD[:3])
    async with opened(stage) as pilot:
        stage.request(FLOOD[3])
        await until(pilot, lambda: "NEW (1)" in shown(stage))
        await until(pilot, lambda: "x 3" in shown(stage))
        await until(pilot, lambda: "One of 3 that look alike" in shown(stage))
        await press(pilot, stage, "r")
        await until(pilot, lambda: "x 4" in shown(stage))


async def test_one_that_is_like_no_other_has_nothing_to_open():
    """The key says so."""
    stage = a_stage([PAY])
    async with opened(stage) as pilot:
        await press(pilot, stage, "+")
        assert "No other request looks like this one." in shown(stage)


async def test_those_held_back_share_a_row_of_their_own():
    """What the person was called for is apart from what came with too many others."""
    held = [an_approval(f"held {n}", DEPLOY, held_back=True, left=8 * MINUTE) for n in range(2)]
    stage = a_stage([*FLOOD, *held])
    async with opened(stage) as pilot:
        assert "x 4" in shown(stage)
        await press(pilot, stage, "G")
        assert "One of 2 that look alike" in shown(stage)
