"""A request that fails verification is listed, but its content cannot be read or answered."""

from dataclasses import replace

import pytest

from approver_tui.client import errors
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.state.approvals.approvals import Unverified
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.approval_list import ApprovalList
from tests.support.clients.driving import (
    NARROW,
    WIDE,
    inbox,
    open_inbox,
    open_stage,
    press,
    screen_text,
    tick_screen,
    until,
    until_shown,
)
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, three_approvals
from tests.support.fakes.fake_requests import DEPLOY, MINUTE

PROBLEM = "display: does not match its digest"


def _forge(stage, *approvals):
    """Make the server's copies of these approvals fail verification from now on."""
    load_page, load_copy = stage.server.waiting, stage.server.approval
    forged = {approval.id for approval in approvals}

    def page():
        listed = load_page()
        return replace(
            listed,
            items=tuple(item for item in listed.items if item.id not in forged),
            unverified=tuple(Unverified(SafeText(id_), SafeText(PROBLEM)) for id_ in forged),
        )

    def copy(approval_id):
        if approval_id in forged:
            raise errors.WireError("display", "does not match its digest")
        return load_copy(approval_id)

    stage.server.waiting, stage.server.approval = page, copy


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_an_unverified_request_is_listed_apart(size):
    """The row shows a warning, the ID and the problem, and the cursor skips it."""
    stage = make_stage(three_approvals())
    forged = three_approvals()[0]
    _forge(stage, forged)
    async with open_inbox(stage, size) as pilot:
        text = " ".join(screen_text(stage).split())
        assert "Inbox 2" in text
        assert "! 1 request cannot be verified, so it cannot be read or answered here" in text
        assert "NOT VERIFIED (1) cannot be answered" in text
        assert forged.id in text
        assert PROBLEM in text
        assert forged.headline not in text
        for key in ("j", "j", "G", "g"):
            await press(pilot, stage, key)
            assert inbox(stage).state.cursor_id in {
                three_approvals()[1].id,
                three_approvals()[2].id,
            }
        await press(pilot, stage, "d")
        assert not isinstance(stage.app.screen, InboxScreen)


async def test_an_unverified_request_alone_is_not_an_empty_inbox():
    """The list says that nothing can be answered, not that nothing is waiting."""
    stage = make_stage(three_approvals()[:1])
    _forge(stage, three_approvals()[0])
    async with open_inbox(stage) as pilot:
        assert "No requests are waiting for you" not in screen_text(stage)
        assert "No requests that you can answer." in screen_text(stage)
        await press(pilot, stage, "a")
        assert "Approve unavailable: nothing is selected." in screen_text(stage)


async def test_many_unverified_requests_can_be_scrolled_to():
    """Selecting the last request scrolls to the unverified ones below it."""
    rows = [
        an_approval(f"row {n}", DEPLOY, expires_in=MINUTE * (5 + n), headline=f"Deploy web {n}")
        for n in range(20)
    ]
    stage = make_stage(rows)
    _forge(stage, rows[3], rows[7])
    async with open_inbox(stage) as pilot:
        assert "! 2 requests cannot be verified" in screen_text(stage)
        assert "NOT VERIFIED" not in screen_text(stage)
        await press(pilot, stage, "G")
        assert "NOT VERIFIED (2)" in screen_text(stage)
        assert inbox(stage).state.cursor_id == rows[-1].id
        assert stage.app.screen.query_one(ApprovalList).rows_below == 0


@pytest.mark.parametrize("key", ["a", "d"])
async def test_a_row_whose_new_copy_is_unverified_cannot_be_answered(key):
    """An open panel closes, the row stays, and answering it is refused with a reason."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, key)
        assert not isinstance(stage.app.screen, InboxScreen)
        _forge(stage, three_approvals()[0])
        inbox(stage)._calls.fetch_approval(three_approvals()[0].id)
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until_shown(pilot, stage, "This request changed. Nothing was")
        assert inbox(stage).state.cursor_id == three_approvals()[0].id
        await press(pilot, stage, key)
        assert isinstance(stage.app.screen, InboxScreen)
        assert "unavailable: the server's copy of this request cannot be verified." in screen_text(
            stage
        )
    assert stage.answers.calls == []


async def test_a_request_that_the_feed_skipped_is_loaded():
    """If the feed skips an event that it cannot verify, the list names its request."""
    async with open_stage(three_approvals()) as (pilot, stage):
        late = an_approval("late", DEPLOY, expires_in=9 * MINUTE)
        stage.server.put(late)
        _forge(stage, late)
        stage.feed.listeners.on_problem("approval.display: does not match its digest")
        await until_shown(pilot, stage, "NOT VERIFIED (1)")
        await until(pilot, lambda: late.id in screen_text(stage))
        await until_shown(pilot, stage, "approval.display: does not match its digest")
        tick_screen(stage)
        assert len(inbox(stage).state.inbox.rows) == 3


def test_a_verified_copy_ends_the_block():
    """A verified copy from the list or the feed makes the request readable again."""
    first = three_approvals()[0]
    doubtful = (
        InboxState()
        .with_request(first)
        .with_unverified(Unverified(SafeText(first.id), SafeText(PROBLEM)))
    )
    assert doubtful.is_unverified(first.id)
    assert len(doubtful.with_unverified(doubtful.unverified[0]).unverified) == 1
    assert not doubtful.with_approval(first).is_unverified(first.id)
    assert not doubtful.with_request(first).is_unverified(first.id)
