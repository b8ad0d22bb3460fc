"""What became of each of several answers, learned from the server and never guessed."""

import threading
from dataclasses import replace

import pytest

from approver_tui.client import errors
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.approvals.reasons import AnswerContext
from approver_tui.screens.approvals.results import ResultsPanel
from approver_tui.screens.approvals.sending import send
from approver_tui.screens.panel import Approve, BatchSubmitted, Deny
from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.approvals.decision import Answer, DenyCode
from approver_tui.state.approvals.results import Fate
from approver_tui.state.text import SafeText
from tests.support.builders.batches import NEW, ONE, THREE, TWO, mark, open_batch, read_on, type_in
from tests.support.builders.batches import send as to_leave
from tests.support.clients.driving import inbox, opened, press, shown, until
from tests.support.fakes.fake_answers import FakeAnswers
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import answered
from tests.support.fakes.fake_client import FakeServer
from tests.support.fakes.fake_clock import NOW, FakeClock

THREE_OF_THEM = [ONE, TWO, THREE]
HERE = "sayso_dv_aaaaaaaaaaaaaaaa"


def _fates(stage):
    return [each.fate for each in stage.app.screen.results.items]


def _lost(approval):
    return errors.UnknownOutcome(approval.id)


def _winner(approval, **changes):
    return errors.AlreadyDecided("already_decided", "x", replace(approval, **changes))


async def _approve_three(pilot, stage):
    await mark(pilot, stage, *THREE_OF_THEM)
    await open_batch(pilot, stage)
    await read_on(pilot, stage)
    await type_in(pilot, stage, "count", "3")
    await to_leave(pilot, stage)


async def _settled(pilot, stage):
    await until(pilot, lambda: not stage.app.screen.is_busy)


async def test_one_decided_elsewhere_is_skipped_with_the_winner_and_the_time():
    """The others are approved; that one is no failure."""
    stage = a_stage(THREE_OF_THEM)
    async with opened(stage) as pilot:
        stage.answers.failures = [_winner(answered(ONE, Answer.DENY))]
        await _approve_three(pilot, stage)
        await _settled(pilot, stage)
        assert _fates(stage) == [Fate.ALREADY, Fate.APPROVED, Fate.APPROVED]
        text = shown(stage)
        assert f"{ONE.fingerprint}  Already decided" in text
        assert "Denied by alice on phone at 14:32:10." in text
        assert "2 approved, 1 already decided." in text
        await press(pilot, stage, "escape")
        assert isinstance(stage.app.screen, InboxScreen)
        assert "2 approved, 1 already decided." in shown(stage)


async def test_a_list_that_breaks_off_in_the_middle_says_what_is_known_of_each():
    """Approved, not known, not sent; then the server is asked, and the list says its word."""
    stage = a_stage(THREE_OF_THEM)
    first = stage.answers.approve

    def approve(approval, **terms):
        if approval.id == TWO.id:
            stage.server.is_down = True
            raise _lost(approval)
        return first(approval, **terms)

    stage.answers.approve = approve
    async with opened(stage) as pilot:
        await _approve_three(pilot, stage)
        await _settled(pilot, stage)
        assert _fates(stage) == [Fate.APPROVED, Fate.UNKNOWN, Fate.NOT_SENT]
        assert "Not sent. The request is still waiting." in shown(stage)
        assert "1 approved, 1 not sent, 1 being checked." in shown(stage)
        done = answered(TWO, Answer.APPROVE)
        ours = replace(done, decided=replace(done.decided, device_id=SafeText(HERE)))
        stage.server.put(ours)
        stage.server.is_down = False
        stage.clock.move(3)
        inbox(stage).tick()
        await until(pilot, lambda: _fates(stage)[1] is Fate.APPROVED)
        await until(pilot, lambda: "2 approved, 1 not sent." in shown(stage))


async def test_an_answer_that_the_server_does_not_have_is_not_recorded():
    """It said so; the others were never sent."""
    stage = a_stage(THREE_OF_THEM)
    async with opened(stage) as pilot:
        stage.answers.failures = [_lost(ONE)]
        await _approve_three(pilot, stage)
        await until(
            pilot, lambda: _fates(stage) == [Fate.NOT_RECORDED, Fate.NOT_SENT, Fate.NOT_SENT]
        )
        await until(
            pilot,
            lambda: "Your answer was not recorded. The request is still waiting." in shown(stage),
        )
    assert stage.answers.given == []


async def test_an_answer_that_lost_a_race_unseen_is_already_decided():
    """Another device's, and the list says whose."""
    stage = a_stage(THREE_OF_THEM)
    async with opened(stage) as pilot:
        await mark(pilot, stage, *THREE_OF_THEM)
        stage.server.approvals[ONE.id] = answered(ONE, Answer.DENY)
        stage.answers.failures = [_lost(ONE)]
        await open_batch(pilot, stage)
        await read_on(pilot, stage)
        await type_in(pilot, stage, "count", "3")
        await to_leave(pilot, stage)
        await until(pilot, lambda: _fates(stage)[0] is Fate.ALREADY)
        await until(pilot, lambda: "Denied by alice on phone" in shown(stage))


async def test_it_stays_until_nothing_more_is_sent():
    """Esc and q do nothing while an answer is on its way; what was asked to leave leaves then."""
    stage = a_stage(THREE_OF_THEM)
    stage.answers.hold = threading.Event()
    async with opened(stage) as pilot:
        await _approve_three(pilot, stage)
        await until(pilot, lambda: _fates(stage)[0] is Fate.SENDING)
        await press(pilot, stage, "escape")
        assert isinstance(stage.app.screen, ResultsPanel)
        assert "1 sending" in shown(stage)
        await press(pilot, stage, "ctrl+q")
        assert stage.app.is_running
        stage.answers.hold.set()
        await until(pilot, lambda: not stage.app.is_running)
    assert len(stage.answers.given) == 3


async def test_the_button_closes_it_and_the_help_says_so():
    """A click or Tab and Enter."""
    stage = a_stage(THREE_OF_THEM)
    async with opened(stage) as pilot:
        await _approve_three(pilot, stage)
        await _settled(pilot, stage)
        await press(pilot, stage, "f1")
        assert "close, once everything is sent" in shown(stage)
        await press(pilot, stage, "escape", "u")
        assert isinstance(stage.app.screen, ResultsPanel)
        await press(pilot, stage, "tab", "enter")
        assert isinstance(stage.app.screen, InboxScreen)


async def test_what_leaves_is_marked_no_longer_and_what_stayed_out_is():
    """An unusual one that was not ticked."""
    stage = a_stage([*THREE_OF_THEM, NEW])
    async with opened(stage) as pilot:
        await mark(pilot, stage, NEW)
        await _approve_three(pilot, stage)
        await _settled(pilot, stage)
        await press(pilot, stage, "escape")
        assert [each.id for each in inbox(stage).state.marks] == [NEW.id]


_ENDS_ALL = {
    "no answer": (errors.Unreachable("x"), Fate.NOT_SENT),
    "receipt lost": (_lost(ONE), Fate.UNKNOWN),
    "unreadable": (errors.WireError("x", "y"), Fate.UNKNOWN),
    "logged out": (errors.LoginFirst("x"), Fate.REFUSED),
    "device locked": (errors.DeviceLocked("device_locked", 423, "x"), Fate.REFUSED),
    "wrong PIN": (errors.WrongPin(1, 9), Fate.REFUSED),
    "locked app": (errors.PinNeeded("x"), Fate.REFUSED),
}
_GOES_ON = {
    "decided": (_winner(answered(ONE, Answer.APPROVE)), Fate.ALREADY),
    "expired": (_winner(ONE, state=ApprovalState.EXPIRED), Fate.EXPIRED),
    "withdrawn": (_winner(ONE, state=ApprovalState.CANCELLED), Fate.ENDED),
    "changed": (errors.Changed("It changed."), Fate.REFUSED),
    "refused": (errors.ApiError("x", 403, "Not you."), Fate.REFUSED),
}


@pytest.mark.parametrize("answer", [Approve(), Deny(DenyCode.NOT_NEEDED, "")], ids=["yes", "no"])
@pytest.mark.parametrize(
    ("error", "fate", "ends_all"),
    [
        *(pytest.param(*case, True, id=name) for name, case in _ENDS_ALL.items()),
        *(pytest.param(*case, False, id=name) for name, case in _GOES_ON.items()),
    ],
)
def test_every_error_has_its_word_and_says_whether_the_others_still_leave(
    error, fate, ends_all, answer
):
    """Nothing is tried again that would cost another try of the PIN, or meet the same."""
    server = FakeServer(FakeClock())
    server.put(ONE)
    sent = send(FakeAnswers(server, failures=[error]), ONE, answer, AnswerContext(NOW, None))
    assert (sent.fate, sent.ends_all) == (fate, ends_all)
    assert bool(sent.why) == (fate is not Fate.UNKNOWN)


def test_a_pin_is_never_written_where_an_answer_is_drawn():
    """Not even by mistake."""
    assert "271828" not in repr(BatchSubmitted((), Approve("271828")))
