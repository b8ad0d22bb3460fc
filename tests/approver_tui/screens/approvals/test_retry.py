"""Asking the agent of an expired request to retry, from the inbox and the history."""

from dataclasses import replace

from approver_tui.client import errors
from approver_tui.state.approvals.approvals import ApprovalState, Retry
from approver_tui.state.notifications.events import EventName
from tests.approver_tui.screens.test_pages import _go
from tests.support.clients.driving import (
    disconnect,
    inbox,
    open_inbox,
    open_stage,
    pass_time,
    press,
    screen_text,
    tick_screen,
    until,
    until_shown,
)
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval

PAY = an_approval("pay", expires_in=90_000)
EXPIRED = replace(PAY, state=ApprovalState.EXPIRED, retry=Retry.POSSIBLE)


def _detail_text(stage):
    """Return the text to the right of the list and below it as one line."""
    rows = [row.rpartition("▏")[2] for row in screen_text(stage).splitlines()]
    return " ".join(" ".join(rows).split())


async def _request_retry(pilot, stage):
    """Ask for a retry and wait until the request can no longer be undone."""
    await press(pilot, stage, "R")
    pass_time(stage, 6)
    await pilot.pause()


def _expire(stage):
    stage.clock.ms = PAY.expires_at
    stage.server.put(EXPIRED)
    tick_screen(stage)


async def test_the_agent_of_an_expired_request_can_be_asked_to_retry():
    """Pressing `R` asks the agent to retry once; before it is sent, `u` undoes it."""
    async with open_stage([PAY]) as (pilot, stage):
        assert "Ask to retry" not in screen_text(stage)
        _expire(stage)
        assert "Not a denial. invoice-bot can ask again." in _detail_text(stage)
        assert "R Ask to retry" in screen_text(stage)
        await press(pilot, stage, "R")
        assert "u to undo): Asking invoice-bot to retry" in _detail_text(stage)
        await press(pilot, stage, "u")
        assert "Undone: nothing was changed." in _detail_text(stage)
        await _request_retry(pilot, stage)
        await until(
            pilot, lambda: "Not a denial. invoice-bot was asked to retry" in _detail_text(stage)
        )
        assert inbox(stage).state.current.retry is Retry.ASKED
        assert "Ask to retry" not in screen_text(stage)
        await press(pilot, stage, "R")
        assert "Retry unavailable: invoice-bot was already asked to retry." in _detail_text(stage)
    assert stage.answers.calls == []


async def test_a_retry_is_not_requested_for_a_waiting_request():
    """A message says that only expired requests can be retried, or that nothing is selected."""
    async with open_stage([PAY]) as (pilot, stage):
        await press(pilot, stage, "R")
        assert "Retry unavailable: only for requests that expired." in _detail_text(stage)
    async with open_stage([]) as (pilot, stage):
        await press(pilot, stage, "R")
        assert "Retry unavailable: nothing is selected." in _detail_text(stage)


async def test_retry_is_unavailable_without_the_server():
    """Without a connection, a message says why no retry is requested."""
    async with open_stage([PAY]) as (pilot, stage):
        _expire(stage)
        await disconnect(pilot, stage, "The server does not respond.")
        await press(pilot, stage, "R")
        assert "Retry unavailable: no connection to the server" in _detail_text(stage)
    assert stage.server.approvals[PAY.id].retry is Retry.POSSIBLE


async def test_a_retry_can_be_requested_from_the_history():
    """The entry in the history shows the retry immediately."""
    stage = make_stage([])
    stage.server.put(EXPIRED)
    stage.clock.ms = PAY.expires_at
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "2")
        await until_shown(pilot, stage, "R Ask to retry")
        await _request_retry(pilot, stage)
        await until(
            pilot, lambda: "Not a denial. invoice-bot was asked to retry" in _detail_text(stage)
        )
        await until_shown(pilot, stage, "HISTORY (1)")
        await press(pilot, stage, "R")
        assert "Retry unavailable: invoice-bot was already asked to retry." in _detail_text(stage)


async def test_the_history_shows_a_refused_retry():
    """The server's refusal is shown, and the entry does not change."""
    stage = make_stage([])
    stage.server.put(EXPIRED)
    stage.clock.ms = PAY.expires_at
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "2")
        await until_shown(pilot, stage, "R Ask to retry")

        def refuse(_: str) -> None:
            raise errors.ApiError(
                "agent_disabled", 409, "The agent of this request is not enabled."
            )

        stage.server.request_retry = refuse
        await _request_retry(pilot, stage)
        await until(
            pilot, lambda: "The agent of this request is not enabled." in _detail_text(stage)
        )
        assert "R Ask to retry" in screen_text(stage)


async def test_a_retry_by_somebody_else_is_announced():
    """An event from the feed marks the request as retried and shows a message."""
    async with open_stage([PAY]) as (pilot, stage):
        _expire(stage)
        stage.feed.tell(EventName.RETRY_ASKED, replace(EXPIRED, retry=Retry.ASKED))
        await until(pilot, lambda: "was asked to retry" in _detail_text(stage))
        assert inbox(stage).state.current.retry is Retry.ASKED
