"""No failure of the connection, the machine or the program loses a request or an answer."""

import threading

import pytest

from approver_tui import app
from approver_tui.client import errors
from approver_tui.client.wire import Page
from approver_tui.screens.approvals import calls, inbox_base
from approver_tui.screens.confirm import ConfirmPanel
from approver_tui.screens.panel import Panel
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.unsent_denials import UnsentDenial
from approver_tui.state.notifications.connection import Phase
from tests.support.clients.driving import (
    NARROW,
    WIDE,
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
from tests.support.fakes.fake_approvals import an_approval, three_approvals, with_decision
from tests.support.fakes.fake_requests import MINUTE


async def test_a_list_that_failed_to_load_is_loaded_again(monkeypatch):
    """After a gap in the feed, the app retries the list, which has the missed requests."""
    monkeypatch.setattr(inbox_base, "_RELOAD_DELAY", 0.05)
    async with open_stage(three_approvals()[:1]) as (pilot, stage):
        missed_request = three_approvals()[1]
        stage.server.put(missed_request)
        stage.server.is_down = True
        stage.feed.listeners.on_resync()
        await until_shown(pilot, stage, "Some requests may be missing")
        stage.server.is_down = False
        await until(pilot, lambda: inbox(stage).state.inbox.find(missed_request.id) is not None)
        await until(pilot, lambda: "may be missing" not in screen_text(stage))


async def test_a_feed_that_crashes_is_restarted(monkeypatch):
    """A feed that crashes is restarted, and a message names the error."""
    monkeypatch.setattr(calls, "_RESTART_DELAY", 0.05)
    stage = make_stage(three_approvals())
    run, broken = stage.feed.run, threading.Event()

    def crash_once(listeners, stop):
        if broken.is_set():
            run(listeners, stop)
        broken.set()
        raise ValueError("something else")

    monkeypatch.setattr(stage.feed, "run", crash_once)
    async with open_inbox(stage) as pilot:
        assert broken.is_set()
        await until_shown(pilot, stage, "live feed failed: ValueError")


@pytest.mark.parametrize("seconds", [60, -60])
async def test_after_a_sleep_or_a_set_clock_everything_is_reloaded(seconds):
    """Keys typed right after waking the machine are ignored, and the list is reloaded."""
    async with open_stage(three_approvals()) as (pilot, stage):
        missed_request = an_approval("late")
        stage.server.put(missed_request)
        pass_time(stage, seconds)
        assert stage.app.context.guard.is_blocking
        await until(pilot, lambda: inbox(stage).state.inbox.find(missed_request.id) is not None)


async def test_a_key_before_the_first_tick_after_a_sleep_is_dropped():
    """A key after a long pause is ignored even before the app noticed the pause."""
    async with open_stage(three_approvals()) as (pilot, stage):
        stage.clock.move(60)
        await pilot.press("a")
        assert inbox(stage).context.guard.is_blocking
        assert stage.app.screen is inbox(stage)


@pytest.mark.parametrize("phase", [Phase.OFFLINE, Phase.CONNECTING])
async def test_the_age_stays_while_connecting(phase):
    """Until the connection is live, the age of the data is shown and answers are off."""
    async with open_stage(three_approvals()) as (pilot, stage):
        stage.feed.connect(Phase.OFFLINE, "the server is restarting")
        await until_shown(pilot, stage, "OFFLINE")
        stage.clock.move(125)
        stage.feed.connect(phase, "the server is restarting")
        tick_screen(stage)
        await until_shown(pilot, stage, "data is 2 min old, you can't answer now")
        await press(pilot, stage, "a")
        assert "Approve unavailable: no connection" in screen_text(stage)


async def test_a_list_that_was_loaded_before_the_feed_opened_is_not_offline():
    """While the feed first connects, the badge does not say OFFLINE."""
    async with open_stage(three_approvals()) as (pilot, stage):
        stage.feed.connect(Phase.CONNECTING)
        await until_shown(pilot, stage, "CONNECTING")
        assert "OFFLINE" not in screen_text(stage)


async def test_the_age_counts_from_the_last_contact():
    """A dead connection can stay open for a long time, so its age counts from the last contact."""
    async with open_stage(three_approvals()) as (pilot, stage):
        tick_screen(stage)
        stage.feed.is_silent = True
        for _ in range(7):
            pass_time(stage, 5)
        stage.feed.connect(Phase.OFFLINE, "The server stopped responding.")
        await until_shown(pilot, stage, "data is 35 s old, you can't answer now")


async def test_a_signed_out_device_says_so_and_stops():
    """The warning stays on all pages, and Enter leaves the app to sign in again."""
    async with open_stage(three_approvals()) as (pilot, stage):
        stage.feed.connect(Phase.SIGNED_OUT, "This device was signed out.")
        await until_shown(pilot, stage, "! SIGNED OUT: this device can no longer answer")
        assert "reconnecting" not in screen_text(stage)
        assert "sayso-approver login" not in screen_text(stage)  # it could be a different login
        await press(pilot, stage, "a", "v")
        assert "Approve unavailable: this device was signed out." in screen_text(stage)
        await press(pilot, stage, "2")
        assert "! SIGNED OUT" in screen_text(stage)
        await press(pilot, stage, "escape", "enter")
        await until(pilot, lambda: not stage.app.is_running)
    assert isinstance(stage.app.fatal_error, errors.LoginFirst)


async def test_a_call_that_finds_the_session_ended_shows_the_same_warning():
    """A request to the server can notice the sign-out before the feed does."""
    async with open_stage(three_approvals()) as (pilot, stage):
        stage.server.failure = errors.LoginFirst("This device was signed out.")
        await press(pilot, stage, "r")
        await until_shown(pilot, stage, "! SIGNED OUT")


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_no_count_is_shown_before_the_server_answered(size):
    """If the server is down at the start, the app shows no count and does not claim to load."""
    stage = make_stage(three_approvals())
    stage.server.is_down = True
    async with stage.app.run_test(size=size) as pilot:
        await until_shown(pilot, stage, "OFFLINE")
        await until_shown(pilot, stage, "WAITING FOR YOU (unknown)")
        await until_shown(pilot, stage, "No connection to the server.")
        assert "Loading…" not in screen_text(stage)
        assert "Inbox 0" not in screen_text(stage)
        stage.clock.move(1)
        await pilot.press("2")
        await until_shown(pilot, stage, "HISTORY")
        assert "Loading…" not in screen_text(stage)


async def test_quitting_waits_until_the_outcome_is_known():
    """While the app checks a denial with an unknown outcome, `q` waits."""
    stage = make_stage(three_approvals())
    pay = three_approvals()[0]
    async with open_inbox(stage) as pilot:
        stage.answers.failures.append(errors.UnknownOutcome(pay.id))
        stage.server.is_down = True
        await press(pilot, stage, "d", "1", "enter")
        pass_time(stage, 6)
        await until_shown(pilot, stage, "Checking whether")
        await press(pilot, stage, "q")
        assert stage.app.is_running
        assert "Checking whether" in screen_text(stage) or "Sending your answer" in screen_text(
            stage
        )
        stage.server.put(with_decision(pay, Answer.DENY))
        stage.server.is_down = False
        pass_time(stage, 3)
        await until(pilot, lambda: not stage.app.is_running)


async def test_termination_sends_the_waiting_denial_first():
    """When the app is terminated, it sends the waiting denial and then exits."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "d", "1", "enter")
        stage.app.terminate()
        await until(pilot, lambda: bool(stage.answers.calls))
        await until(pilot, lambda: not stage.app.is_running)


async def test_termination_does_not_wait_for_a_slow_server(monkeypatch):
    """The app exits after a grace period even if the server did not answer."""
    monkeypatch.setattr(app, "EXIT_GRACE_SECONDS", 0.05)
    stage = make_stage(three_approvals())
    stage.answers.hold = threading.Event()
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "d", "1", "enter")
        stage.app.terminate()
        await until(pilot, lambda: not stage.app.is_running)
        stage.answers.hold.set()


async def test_quitting_waits_for_an_approval_in_progress():
    """Quitting while an approval is being sent waits until it was sent."""
    async with open_stage(three_approvals()) as (pilot, stage):
        panel = Panel(stage.app.context, inbox(stage).state, three_approvals()[0])
        panel.is_busy = True
        inbox(stage).answer_flow.panel = panel
        await stage.app.action_quit()
        assert stage.app.is_running
        assert "Sending your answer" in screen_text(stage)
        inbox(stage).answer_flow._panel_closed(panel, None)
        await until(pilot, lambda: not stage.app.is_running)


def _store_last_known(stage, *approvals):
    """Store a list on this machine that was loaded ten minutes ago."""
    stage.server.last = Page(tuple(approvals), None, 0, stage.clock.now() - 10 * MINUTE)


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_an_offline_start_shows_the_last_known_list(size):
    """The stored list is shown with its age, and nothing in it can be answered."""
    stage = make_stage(three_approvals())
    _store_last_known(stage, *three_approvals()[:2])
    stage.server.is_down = True
    async with stage.app.run_test(size=size) as pilot:
        await until_shown(pilot, stage, "OFFLINE")
        text = " ".join(screen_text(stage).split())
        assert "WAITING FOR YOU (2) as last known" in text
        assert "Pay EUR 4,820.00" in text
        assert "10 min old" in text
        assert "no connection" in inbox(stage).approval_blocker()
        for key in "adesx!ESM":
            await press(pilot, stage, key)
            assert not isinstance(stage.app.screen, (Panel, ConfirmPanel))
        stage.server.is_down = False
        await until(pilot, lambda: inbox(stage).state.is_loaded)
        await until_shown(pilot, stage, "WAITING FOR YOU (3)")
    assert stage.answers.calls == []


async def test_the_first_answer_of_the_server_removes_ended_requests():
    """Stored requests that are no longer listed disappear without being fetched."""
    stage = make_stage(three_approvals()[:1])
    _store_last_known(stage, *three_approvals())
    async with open_inbox(stage):
        assert "WAITING FOR YOU (1)" in screen_text(stage)
        assert set(stage.server.fetched) <= {three_approvals()[0].id}


async def test_an_unsent_denial_is_reported_at_the_next_start():
    """The app does not send it later; a warning stays until the request is answered."""
    stage = make_stage(three_approvals())
    pay = three_approvals()[0]
    stage.unsent_denials.left = (UnsentDenial(pay.id, pay.headline),)
    async with open_inbox(stage) as pilot:
        assert "NOT SENT: the app closed before your denial was sent." in screen_text(stage)
        assert stage.answers.calls == []
        await press(pilot, stage, "d", "1", "enter")
        assert stage.unsent_denials.kept == {pay.id}
        pass_time(stage, 6)
        await until(pilot, lambda: stage.answers.calls != [])
        await until(pilot, lambda: stage.unsent_denials.kept == set())
        tick_screen(stage)
        assert "NOT SENT" not in screen_text(stage)
    assert stage.unsent_denials.left == ()


async def test_an_unsent_denial_of_an_ended_request_is_reported_once():
    """A message says that the request ended without the user's denial."""
    stage = make_stage(three_approvals()[:1])
    ended = three_approvals()[1]
    stage.unsent_denials.left = (UnsentDenial(ended.id, ended.headline),)
    async with open_inbox(stage) as pilot:
        tick_screen(stage)
        await pilot.pause()
        assert "Closed without your denial: Deploy web" in screen_text(stage)
    assert stage.unsent_denials.left == ()


async def test_a_denial_is_stored_before_its_seconds_begin():
    """An undo removes the stored denial, and a full disk does not block a denial."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "d", "1", "enter")
        assert stage.unsent_denials.kept == {three_approvals()[0].id}
        await press(pilot, stage, "u")
        assert stage.unsent_denials.kept == set()
        stage.unsent_denials.failure = OSError("No space left on device")
        await press(pilot, stage, "d", "1", "enter")
        pass_time(stage, 6)
        await until(pilot, lambda: stage.answers.calls != [])


async def test_a_denial_that_was_not_saved_is_reported_until_it_is_sent():
    """The countdown shows the warning; after an undo there is nothing to warn about."""
    async with open_stage(three_approvals()) as (pilot, stage):
        stage.unsent_denials.failure = OSError("No space left on device")
        await press(pilot, stage, "d", "1", "enter")
        for _ in range(3):
            text = " ".join(screen_text(stage).split())
            assert "s (u to undo). 1 denial could not be saved" in text
            assert "lost in a crash: No space left on device" in text
            pass_time(stage, 1)
            await pilot.pause()
        await press(pilot, stage, "u")
        assert "could not be saved" not in screen_text(stage)


async def test_the_warning_counts_all_waiting_denials_that_were_not_saved():
    """A later denial that was saved does not hide the warning about the earlier ones."""
    async with open_stage(three_approvals()) as (pilot, stage):
        stage.unsent_denials.failure = OSError("No space left on device")
        await _deny_quickly(pilot, stage)
        await _deny_quickly(pilot, stage, "j")
        assert "2 denials could not be saved" in screen_text(stage)
        stage.unsent_denials.failure = None
        await _deny_quickly(pilot, stage, "j")
        assert "2 denials could not be saved" in screen_text(stage)


async def _deny_quickly(pilot, stage, *before):
    """Deny a request in one second, nearly as fast as the panel accepts it."""
    await pilot.press(*before, "d")
    stage.clock.move(1)
    tick_screen(stage)
    await pilot.press("1", "enter")
    await until(pilot, lambda: stage.app.screen is inbox(stage))
    tick_screen(stage)


async def test_a_wrong_clock_is_reported_with_its_difference():
    """The times on the screen are the server's, so a clock that differs is reported."""
    stage = make_stage(three_approvals())
    stage.server.skew = 5 * MINUTE
    async with open_inbox(stage):
        assert "clock is 5 min behind the server's" in " ".join(screen_text(stage).split())
