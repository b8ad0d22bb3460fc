"""The results panel shows what the server reported for each answer."""

import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest

from approver_tui.client import errors
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.approvals.results import ResultsPanel, send
from approver_tui.screens.panel import Approve, BatchSubmitted, Deny
from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.approvals.decision import Answer, DenyCode
from approver_tui.state.approvals.results import AnswerState
from approver_tui.state.text import SafeText
from tests.support.builders.batches import (
    NEW,
    ONE,
    THREE,
    TWO,
    open_batch,
    scroll_to_end,
    select,
    type_in,
)
from tests.support.builders.batches import send as to_leave
from tests.support.clients.driving import (
    inbox,
    open_inbox,
    open_stage,
    press,
    screen_text,
    until,
    until_shown,
)
from tests.support.fakes.fake_answers import FakeAnswers
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import with_decision
from tests.support.fakes.fake_client import FakeServer
from tests.support.fakes.fake_clock import NOW, FakeClock

THREE_OF_THEM = [ONE, TWO, THREE]
HERE = "sayso_dv_aaaaaaaaaaaaaaaa"


def _states(stage):
    return [item.state for item in stage.app.screen.results.items]


def _unknown_outcome(approval):
    return errors.UnknownOutcome(approval.id)


def _winner(approval, **changes):
    return errors.AlreadyDecided("already_decided", "x", replace(approval, **changes))


async def _approve_three(pilot, stage):
    await select(pilot, stage, *THREE_OF_THEM)
    await open_batch(pilot, stage)
    await scroll_to_end(pilot, stage)
    await type_in(pilot, stage, "count", "3")
    await to_leave(pilot, stage)


async def _wait_until_sent(pilot, stage):
    await until(pilot, lambda: not stage.app.screen.is_busy)


async def test_a_request_decided_elsewhere_is_skipped_with_its_winner():
    """The result names who decided it, and the other requests are approved."""
    async with open_stage(THREE_OF_THEM) as (pilot, stage):
        stage.answers.failures = [_winner(with_decision(ONE, Answer.DENY))]
        await _approve_three(pilot, stage)
        await _wait_until_sent(pilot, stage)
        assert _states(stage) == [AnswerState.ALREADY, AnswerState.APPROVED, AnswerState.APPROVED]
        text = screen_text(stage)
        assert f"{ONE.fingerprint}  Already decided" in text
        assert "Denied by alice on phone at 14:32:10." in text
        assert "2 approved, 1 already decided." in text
        await press(pilot, stage, "escape")
        assert isinstance(stage.app.screen, InboxScreen)
        assert "2 approved, 1 already decided." in screen_text(stage)


async def test_an_interrupted_batch_shows_what_is_known_of_each():
    """Results are approved, unknown or not sent; the app checks the unknown one."""
    stage = make_stage(THREE_OF_THEM)
    original_approve = stage.answers.approve

    def approve(approval, **terms):
        if approval.id == TWO.id:
            stage.server.is_down = True
            raise _unknown_outcome(approval)
        return original_approve(approval, **terms)

    stage.answers.approve = approve
    async with open_inbox(stage) as pilot:
        await _approve_three(pilot, stage)
        await _wait_until_sent(pilot, stage)
        assert _states(stage) == [AnswerState.APPROVED, AnswerState.UNKNOWN, AnswerState.NOT_SENT]
        assert "Not sent. The request is still waiting." in screen_text(stage)
        assert "1 approved, 1 not sent, 1 being checked." in screen_text(stage)
        done = with_decision(TWO, Answer.APPROVE)
        ours = replace(done, decision=replace(done.decision, device_id=SafeText(HERE)))
        stage.server.put(ours)
        stage.server.is_down = False
        stage.clock.move(3)
        inbox(stage).tick()
        await until(pilot, lambda: _states(stage)[1] is AnswerState.APPROVED)
        await until_shown(pilot, stage, "2 approved, 1 not sent.")


async def test_an_answer_that_the_server_does_not_have_is_not_recorded():
    """If the first answer was not recorded, the others are not sent."""
    async with open_stage(THREE_OF_THEM) as (pilot, stage):
        stage.answers.failures = [_unknown_outcome(ONE)]
        await _approve_three(pilot, stage)
        await until(
            pilot,
            lambda: (
                _states(stage)
                == [AnswerState.NOT_RECORDED, AnswerState.NOT_SENT, AnswerState.NOT_SENT]
            ),
        )
        await until_shown(
            pilot, stage, "Your answer was not recorded. The request is still waiting."
        )
    assert stage.answers.calls == []


async def test_a_lost_race_is_already_decided():
    """If another device decided first, the result says so instead of "not recorded"."""
    async with open_stage(THREE_OF_THEM) as (pilot, stage):
        await select(pilot, stage, *THREE_OF_THEM)
        stage.server.approvals[ONE.id] = with_decision(ONE, Answer.DENY)
        stage.answers.failures = [_unknown_outcome(ONE)]
        await open_batch(pilot, stage)
        await scroll_to_end(pilot, stage)
        await type_in(pilot, stage, "count", "3")
        await to_leave(pilot, stage)
        await until(pilot, lambda: _states(stage)[0] is AnswerState.ALREADY)
        await until_shown(pilot, stage, "Denied by alice on phone")


async def test_the_panel_stays_until_everything_is_sent():
    """Esc and quitting wait until every answer was sent."""
    stage = make_stage(THREE_OF_THEM)
    stage.answers.hold = threading.Event()
    async with open_inbox(stage) as pilot:
        await _approve_three(pilot, stage)
        await until(pilot, lambda: _states(stage)[0] is AnswerState.SENDING)
        await press(pilot, stage, "escape")
        assert isinstance(stage.app.screen, ResultsPanel)
        assert "1 sending" in screen_text(stage)
        await press(pilot, stage, "ctrl+q")
        assert stage.app.is_running
        stage.answers.hold.set()
        await until(pilot, lambda: not stage.app.is_running)
    assert len(stage.answers.calls) == 3


async def test_the_close_button_closes_it():
    """Tab and Enter press the close button, and the help explains when it works."""
    async with open_stage(THREE_OF_THEM) as (pilot, stage):
        await _approve_three(pilot, stage)
        await _wait_until_sent(pilot, stage)
        await press(pilot, stage, "f1")
        assert "close, once everything is sent" in screen_text(stage)
        await press(pilot, stage, "escape", "u")
        assert isinstance(stage.app.screen, ResultsPanel)
        await press(pilot, stage, "tab", "enter")
        assert isinstance(stage.app.screen, InboxScreen)


async def test_sent_requests_are_deselected():
    """A selected request that was not part of the batch stays selected."""
    async with open_stage([*THREE_OF_THEM, NEW]) as (pilot, stage):
        await select(pilot, stage, NEW)
        await _approve_three(pilot, stage)
        await _wait_until_sent(pilot, stage)
        await press(pilot, stage, "escape")
        assert [request.id for request in inbox(stage).state.selection] == [NEW.id]


_STOPS_BATCH = {
    "no answer": (errors.Unreachable("x"), AnswerState.NOT_SENT),
    "receipt lost": (_unknown_outcome(ONE), AnswerState.UNKNOWN),
    "unreadable": (errors.WireError("x", "y"), AnswerState.UNKNOWN),
    "logged out": (errors.LoginFirst("x"), AnswerState.REFUSED),
    "device locked": (errors.DeviceLocked("device_locked", 423, "x"), AnswerState.REFUSED),
    "wrong PIN": (errors.WrongPin(1, 9), AnswerState.REFUSED),
    "locked app": (errors.PinNeeded("x"), AnswerState.REFUSED),
}
_CONTINUES_BATCH = {
    "decided": (_winner(with_decision(ONE, Answer.APPROVE)), AnswerState.ALREADY),
    "expired": (_winner(ONE, state=ApprovalState.EXPIRED), AnswerState.EXPIRED),
    "withdrawn": (_winner(ONE, state=ApprovalState.CANCELLED), AnswerState.ENDED),
    "changed": (errors.Changed("It changed."), AnswerState.REFUSED),
    "refused": (errors.ApiError("x", 403, "Not you."), AnswerState.REFUSED),
}


@pytest.mark.parametrize("answer", [Approve(), Deny(DenyCode.NOT_NEEDED, "")], ids=["yes", "no"])
@pytest.mark.parametrize(
    ("error", "state", "stops_batch"),
    [
        *(pytest.param(*case, True, id=name) for name, case in _STOPS_BATCH.items()),
        *(pytest.param(*case, False, id=name) for name, case in _CONTINUES_BATCH.items()),
    ],
)
def test_every_error_has_a_text_and_says_whether_the_batch_stops(error, state, stops_batch, answer):
    """The batch stops after errors that would repeat or cost a PIN attempt."""
    server = FakeServer(FakeClock())
    server.put(ONE)
    context = SimpleNamespace(now=lambda: NOW, zone=None)
    sent = send(FakeAnswers(server, failures=[error]), ONE, answer, context)
    assert (sent.state, sent.stops_batch) == (state, stops_batch)
    assert bool(sent.reason) == (state is not AnswerState.UNKNOWN)


def test_the_pin_is_not_in_the_repr_of_an_answer():
    """An answer's repr omits the PIN, so it cannot end up in a log."""
    assert "271828" not in repr(BatchSubmitted((), Approve("271828")))
