"""Whatever happens to connection, machine or program, no request and no answer is lost."""

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
from tests.support.clients.driving import NARROW, WIDE, inbox, look, opened, press, shown, until
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval, answered, three
from tests.support.fakes.fake_requests import MINUTE


async def test_a_list_that_could_not_be_fetched_is_asked_for_again(monkeypatch):
    """After a gap in the feed nothing but the list brings what was missed, so it is owed."""
    monkeypatch.setattr(inbox_base, "_LOAD_AGAIN", 0.05)
    stage = a_stage(three()[:1])
    async with opened(stage) as pilot:
        missed = three()[1]
        stage.server.put(missed)
        stage.server.is_down = True
        stage.feed.listeners.on_resync()
        await until(pilot, lambda: "Some requests may be missing" in shown(stage))
        stage.server.is_down = False
        await until(pilot, lambda: inbox(stage).state.inbox.find(missed.id) is not None)
        await until(pilot, lambda: "may be missing" not in shown(stage))


async def test_a_feed_that_breaks_down_is_started_again(monkeypatch):
    """Whatever broke: the screen never says LIVE while nobody listens."""
    monkeypatch.setattr(calls, "_LISTEN_AGAIN", 0.05)
    stage = a_stage(three())
    run, broken = stage.feed.run, threading.Event()

    def breaks_once(listeners, stop):
        if broken.is_set():
            run(listeners, stop)
        broken.set()
        raise ValueError("something else")

    monkeypatch.setattr(stage.feed, "run", breaks_once)
    async with opened(stage) as pilot:
        assert broken.is_set()
        await until(pilot, lambda: "failed while listening: ValueError" in shown(stage))


async def test_after_a_sleep_keys_are_dropped_and_all_is_asked_again():
    """Whoever opens the lid types into what was there in the evening."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        missed = an_approval("late")
        stage.server.put(missed)
        stage.clock.move(60)
        look(stage)
        assert stage.app.context.guard.is_holding
        await until(pilot, lambda: inbox(stage).state.inbox.find(missed.id) is not None)


async def test_a_key_that_comes_before_the_first_look_after_a_sleep_is_dropped():
    """What was typed into the sleep is there at once; the clock's next tick is not."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        stage.clock.move(60)
        await pilot.press("a")
        assert inbox(stage).context.guard.is_holding
        assert stage.app.screen is inbox(stage)


@pytest.mark.parametrize("phase", [Phase.OFFLINE, Phase.CONNECTING])
async def test_the_age_stays_while_it_dials(phase):
    """A dial that takes long is no news: the screen is as old as before, and answers are off."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        stage.feed.connect(Phase.OFFLINE, "the server is restarting")
        await until(pilot, lambda: "OFFLINE" in shown(stage))
        stage.clock.move(125)
        stage.feed.connect(phase, "the server is restarting")
        look(stage)
        await until(pilot, lambda: "data is 2 min old, you can't answer now" in shown(stage))
        await press(pilot, stage, "a")
        assert "Approve unavailable: no connection" in shown(stage)


async def test_the_age_counts_from_the_servers_last_sign_of_life():
    """A line can stand for long after the network has gone; nothing came over it."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        look(stage)
        stage.feed.is_silent = True
        for _ in range(7):
            stage.clock.move(5)
            look(stage)
        stage.feed.connect(Phase.OFFLINE, "The server is silent.")
        await until(pilot, lambda: "data is 35 s old, you can't answer now" in shown(stage))


async def test_a_device_that_was_signed_out_says_so_and_tries_nothing():
    """It stays said whatever else happens, and Enter leads to the screen that signs in."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        stage.feed.connect(Phase.SIGNED_OUT, "This device was signed out.")
        await until(pilot, lambda: "! SIGNED OUT: this device can no longer answer" in shown(stage))
        assert "reconnecting" not in shown(stage)
        await press(pilot, stage, "a", "v")
        assert "Approve unavailable: this device was signed out." in shown(stage)
        await press(pilot, stage, "2")
        assert "! SIGNED OUT" in shown(stage)
        await press(pilot, stage, "escape", "enter")
        await until(pilot, lambda: not stage.app.is_running)
    assert isinstance(stage.app.why_closed, errors.LoginFirst)


async def test_a_call_that_finds_the_session_ended_says_the_same():
    """The feed may learn of it later."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        stage.server.failure = errors.LoginFirst("This device was signed out.")
        await press(pilot, stage, "r")
        await until(pilot, lambda: "! SIGNED OUT" in shown(stage))


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_nobody_claims_to_know_what_waits_before_the_server_said_so(size):
    """The server is down at the start: no count, and no question that is under way."""
    stage = a_stage(three())
    stage.server.is_down = True
    async with stage.app.run_test(size=size) as pilot:
        await until(pilot, lambda: "OFFLINE" in shown(stage))
        await until(pilot, lambda: "WAITING FOR YOU (not known)" in shown(stage))
        await until(pilot, lambda: "No connection to the server." in shown(stage))
        assert "Loading…" not in shown(stage)
        assert "Inbox 0" not in shown(stage)
        stage.clock.move(1)
        await pilot.press("2")
        await until(pilot, lambda: "HISTORY" in shown(stage))
        assert "Loading…" not in shown(stage)


async def test_leaving_waits_until_the_outcome_is_known():
    """q, while nobody knows whether a denial counted: the app leaves once it was told."""
    stage = a_stage(three())
    pay = three()[0]
    async with opened(stage) as pilot:
        stage.answers.failures.append(errors.UnknownOutcome(pay.id))
        stage.server.is_down = True
        await press(pilot, stage, "d", "1", "enter")
        stage.clock.move(6)
        look(stage)
        await until(pilot, lambda: "Checking whether" in shown(stage))
        await press(pilot, stage, "q")
        assert stage.app.is_running
        assert "Checking whether" in shown(stage) or "Sending your answer" in shown(stage)
        stage.server.put(answered(pay, Answer.DENY))
        stage.server.is_down = False
        stage.clock.move(3)
        look(stage)
        await until(pilot, lambda: not stage.app.is_running)


async def test_an_end_from_outside_sends_what_waits_first():
    """The terminal or the machine goes away: the no leaves at once, then the app."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "1", "enter")
        stage.app.end()
        await until(pilot, lambda: bool(stage.answers.given))
        await until(pilot, lambda: not stage.app.is_running)


async def test_an_end_from_outside_does_not_wait_for_a_server_that_is_slow(monkeypatch):
    """The terminal is given back all the same; the thread that sends goes on."""
    monkeypatch.setattr(app, "LAST_WORDS", 0.05)
    stage = a_stage(three())
    stage.answers.hold = threading.Event()
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "1", "enter")
        stage.app.end()
        await until(pilot, lambda: not stage.app.is_running)
        stage.answers.hold.set()


async def test_a_panel_under_way_is_not_left_behind():
    """ctrl+q while a yes is on its way: it is known first."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        panel = Panel(stage.app.context, inbox(stage).state, three()[0])
        panel.is_busy = True
        inbox(stage).answering.panel = panel
        await stage.app.action_quit()
        assert stage.app.is_running
        assert "Sending your answer" in shown(stage)
        inbox(stage).answering._panel_closed(three()[0], None)
        await until(pilot, lambda: not stage.app.is_running)


def _last_known(stage, *approvals):
    """What this machine kept ten minutes ago."""
    stage.server.last = Page(tuple(approvals), None, 0, stage.clock.now() - 10 * MINUTE)


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_a_start_without_the_server_shows_what_waited_and_answers_nothing(size):
    """With its age; it is no list of what waits now, and nothing on it can be answered."""
    stage = a_stage(three())
    _last_known(stage, *three()[:2])
    stage.server.is_down = True
    async with stage.app.run_test(size=size) as pilot:
        await until(pilot, lambda: "OFFLINE" in shown(stage))
        text = " ".join(shown(stage).split())
        assert "WAITING FOR YOU (2) as last known" in text
        assert "Pay EUR 4,820.00" in text
        assert "10 min old" in text
        assert "no connection" in inbox(stage).why_no_yes()
        for key in "adesx!ESM":
            await press(pilot, stage, key)
            assert not isinstance(stage.app.screen, (Panel, ConfirmPanel))
        stage.server.is_down = False
        await until(pilot, lambda: inbox(stage).state.is_loaded)
        await until(pilot, lambda: "WAITING FOR YOU (3)" in shown(stage))
    assert stage.answers.given == []


async def test_what_waited_and_waits_no_more_is_gone_with_the_first_answer_of_the_server():
    """And nothing is asked about it one by one."""
    stage = a_stage(three()[:1])
    _last_known(stage, *three())
    async with opened(stage):
        assert "WAITING FOR YOU (1)" in shown(stage)
        assert set(stage.server.looked_at) <= {three()[0].id}


async def test_a_denial_that_never_left_is_told_at_the_next_start_and_not_sent():
    """As long as its request waits; whoever still wants it denies it anew."""
    stage = a_stage(three())
    pay = three()[0]
    stage.unsent_denials.left = (UnsentDenial(pay.id, pay.headline),)
    async with opened(stage) as pilot:
        assert "NOT SENT: the app closed before your denial was sent." in shown(stage)
        assert stage.answers.given == []
        await press(pilot, stage, "d", "1", "enter")
        assert stage.unsent_denials.kept == {pay.id}
        stage.clock.move(6)
        look(stage)
        await until(pilot, lambda: stage.answers.given != [])
        await until(pilot, lambda: stage.unsent_denials.kept == set())
        look(stage)
        assert "NOT SENT" not in shown(stage)
    assert stage.unsent_denials.left == ()


async def test_a_denial_that_never_left_and_whose_request_is_over_is_told_once():
    """Nobody believes that their no was heard."""
    stage = a_stage(three()[:1])
    gone = three()[1]
    stage.unsent_denials.left = (UnsentDenial(gone.id, gone.headline),)
    async with opened(stage) as pilot:
        look(stage)
        await pilot.pause()
        assert "Closed without your denial: Deploy web" in shown(stage)
    assert stage.unsent_denials.left == ()


async def test_a_denial_is_noted_before_its_seconds_begin_and_forgotten_when_it_is_taken_back():
    """A disk that takes no note is said, and keeps nobody from denying."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "1", "enter")
        assert stage.unsent_denials.kept == {three()[0].id}
        await press(pilot, stage, "u")
        assert stage.unsent_denials.kept == set()
        stage.unsent_denials.failure = OSError("No space left on device")
        await press(pilot, stage, "d", "1", "enter")
        stage.clock.move(6)
        look(stage)
        await until(pilot, lambda: stage.answers.given != [])


async def test_a_wrong_clock_is_told_with_how_far_it_is_off():
    """Every time on the screen is the server's."""
    stage = a_stage(three())
    stage.server.skew = 5 * MINUTE
    async with opened(stage):
        assert "clock is 5 min behind the server's" in " ".join(shown(stage).split())
