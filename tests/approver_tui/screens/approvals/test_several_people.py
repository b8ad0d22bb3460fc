"""Requests that several people are asked about: what the second one sees, and what is counted."""

from dataclasses import replace

from approver_tui.client import errors
from approver_tui.screens.approvals.approve import ApprovePanel
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.notifications.events import EventName
from tests.support.builders.multi_approver import BOB, ME, a_locked, a_part, a_shared, a_vote
from tests.support.clients.driving import NARROW, inbox, look, opened, press, shown, until
from tests.support.fakes.fake_account import a_device
from tests.support.fakes.fake_answers import PIN
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval, answered
from tests.support.fakes.fake_requests import DEPLOY


async def test_the_second_person_sees_the_part_in_the_words_of_the_signed_text():
    """In the detail and in the panel, beside what was asked, and for whom it is."""
    stage = a_stage([a_part("pay", a_vote(reason="only half is due"))])
    async with opened(stage) as pilot:
        text = shown(stage)
        assert "APPROVE WITH LIMITS" in text
        assert "In the text that you would sign:" in text
        assert "/0/amount/minor is 50000," in text
        await press(pilot, stage, "a")
        assert isinstance(stage.app.screen, ApprovePanel)
        text = shown(stage)
        assert "do part of this once" in text
        assert "Your approval would be 2 of 2." in text
        assert "EUR 500.00" in text
        assert "only half is due" not in text


async def test_the_second_yes_is_to_the_part():
    """What the panel showed is what is signed."""
    part = a_part("pay", a_vote())
    stage = a_stage([part])
    async with opened(stage) as pilot:
        await press(pilot, stage, "a")
        for _ in range(4):
            await press(pilot, stage, "pagedown")
        stage.clock.move(3)
        await press(pilot, stage, "tab", *PIN, "tab", "enter")
        await until(pilot, lambda: bool(stage.answers.given))
        assert stage.answers.granted == [part.granted]


async def test_a_part_that_is_chosen_under_an_open_panel_closes_it():
    """A yes to the whole is not turned into one to something else."""
    stage = a_stage([a_shared()])
    async with opened(stage) as pilot:
        await press(pilot, stage, "a")
        part = a_part("pay", a_vote())
        stage.server.put(part)
        stage.feed.tell(EventName.VOTED, part)
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until(pilot, lambda: "This request changed. Nothing was approved." in shown(stage))


async def test_a_yes_that_counts_is_never_said_to_be_lost():
    """Its receipt was; the server's copy has the vote."""
    stage = a_stage([a_shared()])
    async with opened(stage) as pilot:
        stage.answers.failures.append(errors.UnknownOutcome("pay"))
        await press(pilot, stage, "d", "2", "enter")
        stage.server.put(a_shared("pay", a_vote(ME, "alice")))
        stage.clock.move(6)
        look(stage)
        await until(pilot, lambda: "Your approval is counted (1 of 2" in shown(stage))
        assert "not recorded" not in shown(stage)
        await press(pilot, stage, "a")
        assert "Approve unavailable: your approval is counted" in shown(stage)
        await press(pilot, stage, "d")
        assert "Deny unavailable: your approval is counted" in shown(stage)


async def test_what_waits_for_others_stands_apart_and_is_not_counted():
    """From the yes on, with the cursor still on it; once the rest have said yes it is a record."""
    stage = a_stage([a_shared(), an_approval("deploy", DEPLOY)])
    async with opened(stage) as pilot:
        assert "WAITING FOR YOU (2)" in shown(stage)
        voted = a_shared("pay", a_vote(ME, "alice"))
        stage.server.put(voted)
        stage.feed.tell(EventName.VOTED, voted)
        await until(pilot, lambda: "WAITING FOR OTHERS (1)" in shown(stage))
        text = shown(stage)
        assert "[1 Inbox 1]" in text
        assert "WAITING FOR YOU (1)" in text
        assert text.index("Deploy web") < text.index("WAITING FOR OTHERS")
        assert inbox(stage).state.selected == voted.id
        await press(pilot, stage, "k")
        assert inbox(stage).state.selected == an_approval("deploy", DEPLOY).id
        await press(pilot, stage, "j")
        assert inbox(stage).state.selected == voted.id
        stage.feed.tell(EventName.DECIDED, answered(voted, Answer.APPROVE))
        await until(pilot, lambda: "WAITING FOR OTHERS" not in shown(stage))
        assert "WAITING FOR YOU (1)" in shown(stage)


async def test_the_cursor_begins_on_what_can_be_answered():
    """Though what waits for others ends sooner."""
    open_ = an_approval("deploy", DEPLOY)
    stage = a_stage([a_shared("pay", a_vote(ME, "alice")), open_])
    async with opened(stage):
        assert inbox(stage).state.selected == open_.id


async def test_a_yes_of_somebody_else_does_not_move_the_request():
    """It waits for whoever has not answered."""
    stage = a_stage([a_shared("pay", a_vote(BOB, "dan"))])
    async with opened(stage):
        assert "WAITING FOR YOU (1)" in shown(stage)
        assert "WAITING FOR OTHERS" not in shown(stage)


async def test_somebody_elses_yes_is_not_ones_own():
    """An answer that did not arrive is said not to have, whoever else has voted."""
    stage = a_stage([a_shared()])
    async with opened(stage) as pilot:
        stage.answers.failures.append(errors.UnknownOutcome("pay"))
        await press(pilot, stage, "d", "2", "enter")
        void = a_vote(ME, "alice", counts=False)
        stage.server.put(a_shared("pay", void, a_vote(BOB, "dan")))
        stage.clock.move(6)
        look(stage)
        await until(pilot, lambda: "Your answer was not recorded" in shown(stage))


async def test_a_locked_request_says_so_before_anything_is_typed():
    """In its row, in its detail, and where Approve is off; denying it is still possible."""
    stage = a_stage([a_locked()])
    async with opened(stage) as pilot:
        text = shown(stage)
        assert "locked  4:00" in text
        assert "LOCKED for you: too many wrong entries." in text
        await press(pilot, stage, "a")
        assert "Approve unavailable: too many wrong entries" in shown(stage)
        await press(pilot, stage, "d")
        assert not isinstance(stage.app.screen, InboxScreen)


async def test_a_request_that_locks_under_the_panel_is_looked_at_again():
    """The lock is known at once, and stays known when a copy comes that does not tell of it."""
    stage = a_stage([an_approval("pay")])
    async with opened(stage) as pilot:
        await press(pilot, stage, "a")
        for _ in range(3):
            await press(pilot, stage, "pagedown")
        stage.clock.move(3)
        stage.answers.failures.append(errors.RequestLocked("request_locked", 423, "locked"))
        locked = replace(an_approval("pay"), tries_left=a_locked().tries_left)
        stage.server.put(locked)
        await press(pilot, stage, "tab", *PIN, "tab", "enter")
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until(pilot, lambda: "locked  " in shown(stage))
        stage.clock.move(3)
        stage.feed.tell(EventName.EXTENDED, replace(locked, tries_left=None))
        await until(pilot, lambda: "has more time" in shown(stage))
        assert inbox(stage).state.current.is_locked


async def test_a_locked_device_stays_on_the_screen_as_a_warning():
    """With what unlocks it, before anybody types a PIN in vain."""
    stage = a_stage([an_approval("pay")], device=a_device(tries=10))
    async with opened(stage):
        assert "! This device is locked: 10 wrong PINs. Unlock it from another device." in shown(
            stage
        )


async def test_what_is_for_somebody_else_says_for_whom():
    """To a deputy or backup; in the row, the detail and the panel, also where it is narrow."""
    theirs = a_shared("theirs", user=BOB, **{"for": "bob"})
    stage = a_stage([theirs, an_approval("deploy", DEPLOY)])
    async with opened(stage, NARROW) as pilot:
        text = shown(stage)
        assert "invoice-bot > pay.example for bob" in text
        assert text.count(" for bob") == 1
        await press(pilot, stage, "a")
        assert "For         bob" in shown(stage)
