"""The filter of the inbox and the history."""

import pytest

from approver_tui.state.approvals.decision import Answer
from tests.support.clients.driving import inbox, opened, press, run_on, shown, until
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval, answered, three
from tests.support.fakes.fake_requests import DEPLOY, MINUTE


async def test_the_filter_shows_matches_and_counts_the_rest():
    """The selection moves to a match, and nothing hidden can be answered."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "slash", *"web", "enter")
        text = shown(stage)
        assert "WAITING (1)  / web" in text
        assert "2 hidden" in text
        assert inbox(stage).state.current.headline == "Deploy web 4.2.0 to staging"
        stage.request(an_approval("late", left=9 * MINUTE, headline="Pay EUR 1.00"))
        await until(pilot, lambda: "3 hidden" in shown(stage))
        await until(pilot, lambda: "new HIGH request" in shown(stage))
        await press(pilot, stage, "r")
        assert inbox(stage).state.current.headline == "Deploy web 4.2.0 to staging"
        await press(pilot, stage, "slash", "backspace", "backspace", "backspace", "enter")
        assert "WAITING FOR YOU (4)" in shown(stage)


async def test_without_matches_there_is_nothing_to_answer():
    """A match that arrives can be answered."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "slash", *"api", "enter", "a")
        assert "Approve unavailable: nothing is selected." in shown(stage)
        assert "No matches. Press / and" in shown(stage)
        other = an_approval("other", DEPLOY, headline="Deploy shop 1.0", left=9 * MINUTE)
        stage.request(other)
        await until(pilot, lambda: "4 hidden" in shown(stage))
        assert inbox(stage).state.current is None
        late = an_approval("late", DEPLOY, headline="Deploy api 1.0", left=9 * MINUTE)
        stage.request(late)
        await until(pilot, lambda: inbox(stage).state.selected == late.id)


async def test_an_invalid_filter_changes_nothing():
    """The message has the valid forms."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "slash", *"since:x", "enter")
        assert "Filter: use a number and a unit" in shown(stage)
        assert "WAITING FOR YOU (3)" in shown(stage)
        assert not inbox(stage).state.query


async def test_the_filter_applies_while_it_is_typed_and_esc_clears_it():
    """Enter keeps it; Esc on the list ends it too."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "slash", "w", "e")
        assert "WAITING (1)  / we" in shown(stage)
        await run_on(pilot, stage, list("bx"))
        assert "No matches." in shown(stage)
        await press(pilot, stage, "escape")
        assert "WAITING FOR YOU (3)" in shown(stage)
        await press(pilot, stage, "slash", *"web", "enter", "escape")
        assert "WAITING FOR YOU (3)" in shown(stage)
        await press(pilot, stage, "2", "slash", *"zzz")
        assert "No matches." in shown(stage)
        await press(pilot, stage, "escape")
        assert "No matches." not in shown(stage)


@pytest.mark.parametrize(
    "keys", [("slash", *"@ur", "right", "enter"), ("colon", *"@urgent", "enter")], ids=["/", ":"]
)
@pytest.mark.parametrize("page", ["1", "2"], ids=["inbox", "history"])
async def test_a_saved_filter_is_offered_by_name(page, keys):
    """In the filter line, completed by the right arrow, and in the palette."""
    stage = a_stage(three(), place={"filters": {"urgent": "risk:high"}})
    stage.server.put(
        answered(an_approval("done"), Answer.APPROVE),
        answered(an_approval("web", DEPLOY), Answer.APPROVE),
    )
    async with opened(stage) as pilot:
        await press(pilot, stage, page, *keys)
        await until(pilot, lambda: "@urgent" in shown(stage) and "Deploy" not in shown(stage))
        assert "HIGH" in shown(stage)
