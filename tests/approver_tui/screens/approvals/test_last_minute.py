"""The last minute of a request is marked on every screen, and announced twice."""

import pytest

from approver_tui.client import errors
from approver_tui.state.notifications.events import EventName
from tests.support.clients.driving import (
    inbox,
    open_inbox,
    open_stage,
    pass_time,
    press,
    screen_text,
    tick_screen,
    type_quickly,
    until,
    until_shown,
)
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_requests import DEPLOY, MINUTE

PAY = an_approval("pay", expires_in=90_000)


def _move_before_expiry(stage, seconds):
    """Set the clock to this many seconds before the request expires."""
    stage.clock.ms = PAY.expires_at - seconds * 1000
    tick_screen(stage)


async def test_the_last_minute_and_the_last_seconds_are_announced_once():
    """The status line, the row and the details show both warnings."""
    async with open_stage([PAY]) as (pilot, stage):
        await press(pilot, stage, "enter", "G")
        assert "LAST" not in screen_text(stage)
        _move_before_expiry(stage, 59)
        await until_shown(pilot, stage, "60 s left: Pay EUR 4,820.00")
        await until_shown(pilot, stage, "ends 0:59")
        await until_shown(pilot, stage, "LAST MINUTE: ")
        inbox(stage).show_message(PAY.agent.name)
        _move_before_expiry(stage, 40)
        await pilot.pause()
        assert "s left: " not in screen_text(stage)
        _move_before_expiry(stage, 19)
        await until_shown(pilot, stage, "20 s left: Pay EUR 4,820.00")
        await until_shown(pilot, stage, "ENDS 0:19")
        await until_shown(pilot, stage, "LAST 20 SECONDS: ")


async def test_a_panel_shows_the_last_minute_in_its_title():
    """An open approve panel shows the remaining seconds too."""
    async with open_stage([PAY]) as (pilot, stage):
        await press(pilot, stage, "a")
        assert " left" in screen_text(stage).splitlines()[0] + screen_text(stage)
        _move_before_expiry(stage, 45)
        await pilot.pause()
        assert "ends 0:45" in screen_text(stage)


async def test_several_requests_that_end_together_are_one_message():
    """One message says how many requests are about to expire."""
    rows = [PAY, an_approval("deploy", DEPLOY, expires_in=91_000)]
    async with open_stage(rows) as (pilot, stage):
        _move_before_expiry(stage, 50)
        await until_shown(pilot, stage, "60 s left for 2 requests. First: Pay")


async def test_a_request_is_extended_unless_that_is_undone():
    """Pressing `E` extends the request after five seconds, without an answer or a PIN."""
    async with open_stage([PAY]) as (pilot, stage):
        await press(pilot, stage, "E")
        assert "u to undo): Extending Pay" in " ".join(screen_text(stage).split())
        await press(pilot, stage, "u")
        assert "Undone: nothing was changed." in screen_text(stage)
        pass_time(stage, 6)
        await pilot.pause()
        assert inbox(stage).state.current.expires_at == PAY.expires_at
        await press(pilot, stage, "E")
        pass_time(stage, 6)
        await until_shown(pilot, stage, "It now expires at 14:42:")
        assert inbox(stage).state.current.expires_at > PAY.expires_at
        assert stage.answers.calls == []


async def test_quitting_sends_a_waiting_extension_first():
    """Pressing `q` within the five seconds still extends the request."""
    async with open_stage([PAY]) as (pilot, stage):
        await press(pilot, stage, "E")
        await press(pilot, stage, "q")
        await until(pilot, lambda: not stage.app.is_running)
    assert stage.server.approvals[PAY.id].expires_at > PAY.expires_at


@pytest.mark.parametrize(
    ("key", "on", "off"),
    [
        ("S", "Snoozed until 14:47:", "No longer snoozed."),
        ("M", "release-agent is muted for low", "release-agent is no longer muted."),
    ],
)
async def test_one_key_mutes_and_unmutes(key, on, off):
    """A snoozed or muted request stays listed with a label; the same key undoes it."""
    stage = make_stage([an_approval("deploy", DEPLOY, expires_in=9 * MINUTE)])
    label = {"S": "  snoozed", "M": "  muted"}[key]
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, key)
        await until(pilot, lambda: on in screen_text(stage))
        await until_shown(pilot, stage, "Deploy web 4.2.0")
        await until(pilot, lambda: label in screen_text(stage))
        assert f"Press {key} to undo." in " ".join(screen_text(stage).split())
        await press(pilot, stage, key)
        await until(pilot, lambda: off in screen_text(stage))
        assert label not in screen_text(stage)


async def test_fast_typing_does_not_extend_a_request():
    """An `E` pressed while typing fast is undone by a later `u`, and no time is added."""
    async with open_stage([PAY]) as (pilot, stage):
        await type_quickly(pilot, stage, ["E", "tab", "enter", "y", "enter", "tab", "u"])
        pass_time(stage, 6)
        await pilot.pause()
        assert stage.server.approvals[PAY.id].expires_at == PAY.expires_at


async def test_a_request_that_alerts_is_not_called_muted():
    """A high-risk request alerts even if its agent is muted, so it has no such label."""
    async with open_stage([PAY, an_approval("deploy", DEPLOY, expires_in=9 * MINUTE)]) as (
        pilot,
        stage,
    ):
        stage.prefs_client.mute(PAY.agent.id)
        stage.feed.tell(EventName.ATTENTION)
        await until(pilot, lambda: inbox(stage).state.prefs.mutes != ())
        assert "muted" not in screen_text(stage)


async def test_a_refused_snooze_and_an_expired_request_change_nothing():
    """The server's refusal is shown, and an expired request cannot be extended."""
    stage = make_stage([PAY])
    stage.prefs_client.failure = errors.ApiError("not_snoozable", 409, "High risk always rings.")
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "S")
        await until_shown(pilot, stage, "High risk always rings.")
        _move_before_expiry(stage, 0)
        await press(pilot, stage, "E")
        assert "Extend unavailable: Expired at" in screen_text(stage)
