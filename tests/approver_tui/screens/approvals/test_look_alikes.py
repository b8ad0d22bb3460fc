"""Look-alike requests share a row, but each of them is answered separately."""

from approver_tui.state.approvals.decision import Answer
from tests.support.clients.driving import (
    inbox,
    open_stage,
    press,
    screen_text,
    until,
    until_shown,
)
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_requests import DEPLOY, MINUTE

FLOOD = [an_approval(f"flood {n}", DEPLOY, expires_in=(5 + n) * MINUTE) for n in range(4)]
PAY = an_approval("pay", expires_in=4 * MINUTE)


def _waiting(stage):
    return [request.id for request in FLOOD if stage.server.approvals[request.id].is_waiting(0)]


async def test_look_alikes_share_a_row_that_can_be_expanded():
    """Pressing `+` lists them one by one or in one row; the heading counts them all."""
    async with open_stage([PAY, *FLOOD]) as (pilot, stage):
        text = screen_text(stage)
        assert "WAITING FOR YOU (5)" in text
        assert text.count("MED") == 1
        assert "x 4" in text
        await press(pilot, stage, "j", "+")
        assert inbox(stage).state.cursor_id == FLOOD[0].id
        assert screen_text(stage).count("of 4 alike") == 4
        await press(pilot, stage, "j", "j")
        assert inbox(stage).state.cursor_id == FLOOD[2].id
        await press(pilot, stage, "+")
        assert "x 4" in screen_text(stage)
        assert inbox(stage).state.cursor_id == FLOOD[2].id


async def test_an_answer_applies_to_the_shown_request_only():
    """The details say so; the other requests keep waiting, and the row stays where it is."""
    async with open_stage([PAY, *FLOOD]) as (pilot, stage):
        await press(pilot, stage, "j")
        assert "One of 4 that look alike. Your answer" in screen_text(stage)
        await press(pilot, stage, "a", "pagedown", "tab", "enter")
        await until(pilot, lambda: bool(stage.answers.calls))
        await until_shown(pilot, stage, "x 4, 3 wait")
        assert stage.answers.calls == [(FLOOD[0].id, Answer.APPROVE, None)]
        assert _waiting(stage) == [request.id for request in FLOOD[1:]]
        await press(pilot, stage, "k", "j")
        assert inbox(stage).state.cursor_id == FLOOD[1].id


async def test_a_higher_risk_never_shares_a_row_with_a_lower_one():
    """A request with the same text but a higher risk has its own row."""
    high = an_approval("high", DEPLOY, risk="high", expires_in=9 * MINUTE)
    async with open_stage([*FLOOD, high]) as (_pilot, stage):
        assert "x 4" in screen_text(stage)
        assert "!! HIGH" in screen_text(stage)


async def test_a_new_look_alike_moves_nothing_and_joins_no_row():
    """A new look-alike stays below the divider until you sort the list."""
    async with open_stage(FLOOD[:3]) as (pilot, stage):
        stage.request(FLOOD[3])
        await until_shown(pilot, stage, "NEW (1)")
        await until_shown(pilot, stage, "x 3")
        await until_shown(pilot, stage, "One of 3 that look alike")
        await press(pilot, stage, "r")
        await until_shown(pilot, stage, "x 4")


async def test_a_request_without_look_alikes_has_nothing_to_expand():
    """Pressing `+` on a single request says that no other request looks like it."""
    async with open_stage([PAY]) as (pilot, stage):
        await press(pilot, stage, "+")
        assert "No other requests look like this one." in screen_text(stage)


async def test_held_back_look_alikes_share_their_own_row():
    """Held-back requests do not share a row with requests that alert."""
    held_back = [
        an_approval(f"held {n}", DEPLOY, held_back=True, expires_in=8 * MINUTE) for n in range(2)
    ]
    async with open_stage([*FLOOD, *held_back]) as (pilot, stage):
        assert "x 4" in screen_text(stage)
        await press(pilot, stage, "G")
        assert "One of 2 that look alike" in screen_text(stage)
