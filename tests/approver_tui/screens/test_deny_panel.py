"""Saying no: a reason, a note, and five seconds to think again."""

from approver_tui.client import errors
from approver_tui.screens.deny import DenyPanel
from approver_tui.screens.inbox import InboxScreen
from approver_tui.state.decision import Answer
from approver_tui.widgets.deny_codes import DenyCodes
from tests.support.fake_client import a_stage, three
from tests.support.pilots import inbox, look, opened, press, run_on, shown, until

PAY = three()[0].id


async def test_a_denial_leaves_after_five_seconds():
    """Digit, Enter: the status counts down, and only then the answer is sent."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2")
        stage.clock.move(1)
        await pilot.press("enter")
        await pilot.pause()
        assert "Denying in 5 s, u takes it back: Pay EUR 4,820.00" in shown(stage)
        stage.clock.move(4.9)
        look(stage)
        await pilot.pause()
        assert stage.answers.given == []
        assert "Denying in 1 s" in shown(stage)
        stage.clock.move(0.2)
        look(stage)
        await until(pilot, lambda: "Denied by alice" in shown(stage))
    assert stage.answers.given == [(PAY, Answer.DENY, "wrong_details")]


async def test_u_takes_a_denial_back():
    """Nothing is sent, and the request can be answered again."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2", "enter", "u")
        stage.clock.move(10)
        look(stage)
        await pilot.pause()
        assert "Taken back: nothing was denied." in shown(stage)
        await press(pilot, stage, "d")
        assert isinstance(stage.app.screen, DenyPanel)
    assert stage.answers.given == []


async def test_no_reason_is_chosen_from_the_start():
    """Enter without a reason says what is missing."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "enter")
        assert isinstance(stage.app.screen, DenyPanel)
        assert "Deny is off: pick a reason" in shown(stage)


async def test_arrows_choose_and_the_button_sends():
    """Down twice, Tab over note and Back to Deny, Enter."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "down", "down", "tab")
        note = stage.app.focused
        note.value = "x" * 498
        stage.clock.move(1)
        await run_on(pilot, stage, list("yyyy"))
        assert len(note.value) == 500
        await press(pilot, stage, "enter")
        assert isinstance(stage.app.screen, DenyPanel)
        await press(pilot, stage, "tab", "tab", "enter")
        stage.clock.move(6)
        look(stage)
        await until(pilot, lambda: bool(stage.answers.given))
    assert stage.answers.given == [(PAY, Answer.DENY, "wrong_details")]


async def test_one_thing_at_a_time_per_request():
    """While a denial waits, neither yes nor another no can be said to that request."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2")
        await pilot.press("enter")
        await press(pilot, stage, "a")
        assert isinstance(stage.app.screen, InboxScreen)
        await press(pilot, stage, "d")
        assert isinstance(stage.app.screen, InboxScreen)
        assert len(inbox(stage).table.doing) == 1


async def test_quitting_sends_the_denial_first():
    """`q` within the five seconds neither loses the answer nor waits for them."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2")
        await pilot.press("enter")
        await press(pilot, stage, "q")
        await until(pilot, lambda: not stage.app.is_running)
    assert stage.answers.given == [(PAY, Answer.DENY, "wrong_details")]


async def test_somebody_else_was_faster_than_the_denial():
    """The winner is told, and the row is a record."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2", "enter")
        winner = stage.answers._done(three()[0], Answer.APPROVE, None, None)
        stage.answers.failures.append(errors.AlreadyDecided("already_decided", "late", winner))
        stage.clock.move(6)
        look(stage)
        await until(pilot, lambda: "Already decided. Approved by alice" in shown(stage))
        assert inbox(stage).table.doing == {}


async def test_a_denial_that_does_not_get_through_says_so():
    """The request waits on, and can be denied again."""
    stage = a_stage(three())
    stage.answers.failures.append(errors.Unreachable("down"))
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2", "enter")
        stage.clock.move(6)
        look(stage)
        await until(pilot, lambda: "The server did not answer. Nothing was denied." in shown(stage))
        await press(pilot, stage, "d")
        assert stage.app.screen.query_one(DenyCodes).code is None


async def test_escape_denies_nothing():
    """A chosen reason alone is not an answer."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2", "escape")
        stage.clock.move(10)
        look(stage)
        assert isinstance(stage.app.screen, InboxScreen)
    assert stage.answers.given == []
