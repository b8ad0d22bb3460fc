"""Requests that more than one person must approve."""

from dataclasses import replace

from approver_tui.client import errors
from approver_tui.screens.approvals.approve import ApprovePanel
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.notifications.events import EventName
from tests.support.builders.multi_approver import BOB, ME, a_locked, a_part, a_shared, a_vote
from tests.support.clients.driving import (
    NARROW,
    inbox,
    open_stage,
    pass_time,
    press,
    screen_text,
    until,
    until_shown,
)
from tests.support.fakes.fake_account import a_device
from tests.support.fakes.fake_answers import PIN
from tests.support.fakes.fake_approvals import an_approval, with_decision
from tests.support.fakes.fake_requests import DEPLOY


async def test_the_second_approver_sees_the_granted_part_in_the_signed_text():
    """The details and the panel show the granted part and the text that will be signed."""
    async with open_stage([a_part("pay", a_vote(reason="only half is due"))]) as (pilot, stage):
        text = screen_text(stage)
        assert "WITH LIMITS" in text
        assert "In the text that you sign:" in text
        assert "/0/amount/minor is 50000," in text
        await press(pilot, stage, "a")
        assert isinstance(stage.app.screen, ApprovePanel)
        text = screen_text(stage)
        assert "do part of this once" in text
        assert "Your approval would be 2 of 2." in text
        assert "EUR 500.00" in text
        assert "only half is due" not in text


async def test_the_second_approval_is_for_the_part():
    """The second approver signs the granted part that the panel showed."""
    part = a_part("pay", a_vote())
    async with open_stage([part]) as (pilot, stage):
        await press(pilot, stage, "a")
        for _ in range(4):
            await press(pilot, stage, "pagedown")
        stage.clock.move(3)
        await press(pilot, stage, "tab", *PIN, "tab", "enter")
        await until(pilot, lambda: bool(stage.answers.calls))
        assert stage.answers.granted == [part.granted]


async def test_a_part_chosen_under_an_open_panel_closes_it():
    """An approval of the full request never turns into an approval of a part."""
    async with open_stage([a_shared()]) as (pilot, stage):
        await press(pilot, stage, "a")
        part = a_part("pay", a_vote())
        stage.server.put(part)
        stage.feed.tell(EventName.VOTED, part)
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until_shown(pilot, stage, "This request changed. Nothing was approved.")


async def test_a_counted_vote_is_never_reported_as_lost():
    """If the server has counted the vote, an unknown outcome is shown as counted."""
    async with open_stage([a_shared()]) as (pilot, stage):
        stage.answers.failures.append(errors.UnknownOutcome("pay"))
        await press(pilot, stage, "d", "2", "enter")
        stage.server.put(a_shared("pay", a_vote(ME, "alice")))
        pass_time(stage, 6)
        await until_shown(pilot, stage, "Your approval was counted (1 of 2")
        assert "not recorded" not in screen_text(stage)
        await press(pilot, stage, "a")
        assert "Approve unavailable: you already approved it" in screen_text(stage)
        await press(pilot, stage, "d")
        assert "Deny unavailable: you already approved it" in screen_text(stage)


async def test_the_users_approval_can_be_withdrawn():
    """Pressing `W` withdraws it after five seconds; the request then waits for the user again."""
    async with open_stage([a_shared("pay", a_vote(ME, "alice"), a_vote(BOB, "dan"))]) as (
        pilot,
        stage,
    ):
        assert "W Withdraw" in screen_text(stage)
        await press(pilot, stage, "W")
        assert "u to undo): Withdrawing your approval of Pay" in screen_text(stage)
        await press(pilot, stage, "u")
        assert "Undone: nothing was changed." in screen_text(stage)
        await press(pilot, stage, "W", "W")
        assert stage.answers.calls == []
        assert "u to undo): Withdrawing your approval of Pay" in screen_text(stage)
        pass_time(stage, 6)
        await until_shown(pilot, stage, "Your approval is withdrawn (1 of 2")
        assert [given[1] for given in stage.answers.calls] == [Answer.WITHDRAW]
        assert "WAITING FOR YOU (1)" in screen_text(stage)
        assert "W Withdraw" not in screen_text(stage)


async def test_only_a_counted_approval_can_be_withdrawn():
    """A vote that no longer counts cannot be withdrawn, and the key says why."""
    async with open_stage([a_shared("pay", a_vote(ME, "alice", counts=False))]) as (pilot, stage):
        await press(pilot, stage, "W")
        assert "Withdraw unavailable: only for requests that you approved" in screen_text(stage)


async def test_a_refused_withdrawal_changes_nothing():
    """If the request is already decided, the server's message is shown."""
    async with open_stage([a_shared("pay", a_vote(ME, "alice"))]) as (pilot, stage):
        stage.answers.failures.append(errors.ApiError("no_effect", 409, "It is decided."))
        await press(pilot, stage, "W")
        pass_time(stage, 6)
        await until_shown(pilot, stage, "It is decided. Nothing was changed.")


async def test_votes_of_others_are_news():
    """The news names the request that somebody approved or stopped approving."""
    async with open_stage([a_shared()]) as (pilot, stage):
        stage.feed.tell(EventName.VOTED, a_shared("pay", a_vote(BOB, "dan")))
        await until_shown(pilot, stage, "one of several approvers approved ")
        stage.clock.move(6)
        stage.feed.tell(EventName.VOTE_WITHDRAWN, a_shared())
        await until_shown(pilot, stage, "no longer counts.")


async def test_requests_that_wait_for_others_have_their_own_section():
    """The user's count omits such requests, and the cursor stays on one until it is decided."""
    async with open_stage([a_shared(), an_approval("deploy", DEPLOY)]) as (pilot, stage):
        assert "WAITING FOR YOU (2)" in screen_text(stage)
        voted = a_shared("pay", a_vote(ME, "alice"))
        stage.server.put(voted)
        stage.feed.tell(EventName.VOTED, voted)
        await until_shown(pilot, stage, "WAITING FOR OTHERS (1)")
        text = screen_text(stage)
        assert "[1 Inbox 1]" in text
        assert "WAITING FOR YOU (1)" in text
        assert text.index("Deploy web") < text.index("WAITING FOR OTHERS")
        assert inbox(stage).state.cursor_id == voted.id
        await press(pilot, stage, "k")
        assert inbox(stage).state.cursor_id == an_approval("deploy", DEPLOY).id
        await press(pilot, stage, "j")
        assert inbox(stage).state.cursor_id == voted.id
        stage.feed.tell(EventName.DECIDED, with_decision(voted, Answer.APPROVE))
        await until(pilot, lambda: "WAITING FOR OTHERS" not in screen_text(stage))
        assert "WAITING FOR YOU (1)" in screen_text(stage)


async def test_the_first_selection_can_be_answered():
    """A request that waits for others is not selected first, even if it expires sooner."""
    unanswered = an_approval("deploy", DEPLOY)
    async with open_stage([a_shared("pay", a_vote(ME, "alice")), unanswered]) as (_pilot, stage):
        assert inbox(stage).state.cursor_id == unanswered.id


async def test_a_vote_of_somebody_else_does_not_move_the_request():
    """After another person's vote, the request still waits for you."""
    async with open_stage([a_shared("pay", a_vote(BOB, "dan"))]) as (_pilot, stage):
        assert "WAITING FOR YOU (1)" in screen_text(stage)
        assert "WAITING FOR OTHERS" not in screen_text(stage)


async def test_somebody_elses_vote_is_not_ours():
    """If only another person's vote counts, your lost answer is reported as not recorded."""
    async with open_stage([a_shared()]) as (pilot, stage):
        stage.answers.failures.append(errors.UnknownOutcome("pay"))
        await press(pilot, stage, "d", "2", "enter")
        void = a_vote(ME, "alice", counts=False)
        stage.server.put(a_shared("pay", void, a_vote(BOB, "dan")))
        pass_time(stage, 6)
        await until_shown(pilot, stage, "Your answer was not recorded")


async def test_a_locked_request_says_so_before_anything_is_typed():
    """A locked request can be denied but not approved, and its row says that it is locked."""
    async with open_stage([a_locked()]) as (pilot, stage):
        text = screen_text(stage)
        assert "locked  4:00" in text
        assert "LOCKED for you: too many wrong entries." in text
        await press(pilot, stage, "a")
        assert "Approve unavailable: too many wrong entries" in screen_text(stage)
        await press(pilot, stage, "d")
        assert not isinstance(stage.app.screen, InboxScreen)


async def test_a_request_that_locks_under_the_panel_stays_locked():
    """A later copy that does not say how many attempts are left does not unlock the request."""
    async with open_stage([an_approval("pay")]) as (pilot, stage):
        await press(pilot, stage, "a")
        for _ in range(3):
            await press(pilot, stage, "pagedown")
        stage.clock.move(3)
        stage.answers.failures.append(errors.RequestLocked("request_locked", 423, "locked"))
        locked = replace(an_approval("pay"), tries_left=a_locked().tries_left)
        stage.server.put(locked)
        await press(pilot, stage, "tab", *PIN, "tab", "enter")
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until_shown(pilot, stage, "locked  ")
        stage.clock.move(3)
        stage.feed.tell(EventName.EXTENDED, replace(locked, tries_left=None))
        await until_shown(pilot, stage, "has more time")
        assert inbox(stage).state.current.is_locked


async def test_a_locked_device_is_a_permanent_warning():
    """The warning says how to unlock the device."""
    async with open_stage([an_approval("pay")], device=a_device(tries=10)) as (_pilot, stage):
        assert (
            "! This device is locked: 10 wrong PINs. Another device or an administrator can"
            in screen_text(stage)
        )


async def test_a_request_for_somebody_else_names_them():
    """A deputy sees for whom a request is in its row and in the panel."""
    theirs = a_shared("theirs", user=BOB, **{"for": "bob"})
    async with open_stage([theirs, an_approval("deploy", DEPLOY)], size=NARROW) as (pilot, stage):
        text = screen_text(stage)
        assert "invoice-bot > pay.example for bob" in text
        assert text.count(" for bob") == 1
        await press(pilot, stage, "a")
        assert "For         bob" in screen_text(stage)
