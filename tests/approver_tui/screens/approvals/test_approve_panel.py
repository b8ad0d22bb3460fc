"""The approve panel, and every result that approving can have."""

import threading

import pytest
from textual.widgets import Static

from approver_tui.client import errors
from approver_tui.screens.approvals.approve import ApprovePanel, PanelFacts
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.notifications.connection import Phase
from approver_tui.state.notifications.events import EventName
from approver_tui.widgets.approvals.rows import AnswerProgress
from approver_tui.widgets.panel_button import PanelButton
from tests.support.clients.driving import (
    NARROW,
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
from tests.support.fakes.fake_account import a_device
from tests.support.fakes.fake_answers import PIN
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, with_decision
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import MINUTE, PAYMENT, PRICES

LONG = [("Line", f"number {number}", True) for number in range(60)]


def _low(**changes):
    return an_approval("prices", PRICES, expires_in=3 * MINUTE, **changes)


async def _open(pilot, stage):
    await press(pilot, stage, "a")
    panel = stage.app.screen
    assert isinstance(panel, ApprovePanel)
    return panel


async def _open_and_read(pilot, stage):
    await _open(pilot, stage)
    await press(pilot, stage, "pagedown")


async def _type_pin(pilot, stage, pin=PIN):
    await press(pilot, stage, "tab")
    await type_quickly(pilot, stage, list(pin), interval=0.2)
    pass_time(stage, 3)


def _why(stage):
    return str(stage.app.screen.query_one("#hint", Static).content)


def _is_off(stage):
    return stage.app.screen.query_one("#approve", PanelButton).is_off


async def test_low_risk_in_an_unlocked_app_is_approved_by_tab_and_enter():
    """Pressing `a`, Tab, and Enter approves a low-risk request; an unlocked app needs no PIN."""
    async with open_stage([_low()]) as (pilot, stage):
        await _open(pilot, stage)
        await press(pilot, stage, "tab", "enter")
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        assert stage.answers.calls == [(_low().id, Answer.APPROVE, None)]
        await until_shown(pilot, stage, "Approved by alice")


async def test_high_risk_needs_the_pin_for_this_request():
    """A high-risk approval includes the PIN, which the user types after reading the facts."""
    async with open_stage([an_approval("pay")]) as (pilot, stage):
        await _open_and_read(pilot, stage)
        assert _why(stage) == "Approve unavailable: press Tab, then type your PIN."
        await _type_pin(pilot, stage)
        await press(pilot, stage, "tab", "enter")
        await until(pilot, lambda: bool(stage.answers.calls))
    assert stage.answers.calls == [(an_approval("pay").id, Answer.APPROVE, PIN)]


async def test_low_risk_in_a_locked_app_unlocks_with_the_pin():
    """In a locked app the PIN unlocks the device key and is not sent with the answer."""
    stage = make_stage([_low()])
    stage.answers.is_unlocked = False
    async with open_inbox(stage) as pilot:
        await _open(pilot, stage)
        await _type_pin(pilot, stage)
        await press(pilot, stage, "tab", "enter")
        await until(pilot, lambda: bool(stage.answers.calls))
    assert stage.answers.calls == [(_low().id, Answer.APPROVE, None)]
    assert stage.answers.is_unlocked


async def test_enter_in_the_pin_field_does_not_submit():
    """Enter in the PIN field sends nothing, because only the button approves."""
    async with open_stage([an_approval("pay")]) as (pilot, stage):
        await _open(pilot, stage)
        await _type_pin(pilot, stage)
        await press(pilot, stage, "enter", "enter")
        assert isinstance(stage.app.screen, ApprovePanel)
    assert stage.answers.calls == []


async def test_letters_in_the_pin_field_are_not_keys():
    """Letters that are shortcuts elsewhere, such as j, k, ? and q, are typed into the PIN field."""
    async with open_stage([an_approval("pay")]) as (pilot, stage):
        await _open(pilot, stage)
        await _type_pin(pilot, stage, ["j", "k", "question_mark", "q", "a", "d"])
        assert stage.app.screen.query_one("#pin").value == "jk?qad"


async def test_the_pin_is_never_drawn():
    """The typed PIN never appears on the screen; the field shows dots."""
    async with open_stage([an_approval("pay")]) as (pilot, stage):
        await _open(pilot, stage)
        await _type_pin(pilot, stage)
        assert PIN not in screen_text(stage)


async def test_a_wrong_pin_says_how_many_attempts_are_left():
    """After a wrong PIN the panel stays with an empty field, and the inbox shows a warning."""
    async with open_stage([an_approval("pay")]) as (pilot, stage):
        await _open_and_read(pilot, stage)
        await _type_pin(pilot, stage, "111111")
        await press(pilot, stage, "tab", "enter")
        await until_shown(pilot, stage, "9 attempts left")
        assert stage.app.screen.query_one("#pin").value == ""
        await press(pilot, stage, "escape")
        await until_shown(pilot, stage, "1 wrong PIN since you last approved")
    assert stage.answers.calls == []


async def test_approve_is_unavailable_until_every_fact_was_visible():
    """With more facts than fit, Approve is available only after you page to the end."""
    async with open_stage([_low(facts=LONG)], size=NARROW) as (pilot, stage):
        await _open(pilot, stage)
        assert _is_off(stage)
        assert "scroll down first" in _why(stage)
        seen = set()
        for _ in range(30):
            seen |= {line.strip().rstrip("▁▂▃▄▅▆▇█ ") for line in screen_text(stage).splitlines()}
            if not _is_off(stage):
                break
            await press(pilot, stage, "pagedown")
        assert not _is_off(stage)
        assert all(any(f"number {number}" in line for line in seen) for number in range(60))


async def test_lines_of_an_earlier_width_do_not_count_as_visible():
    """While the window is resized, the facts have the new height before they are wrapped again."""
    async with open_stage([_low()]) as (pilot, stage):
        await _open(pilot, stage)
        facts = stage.app.screen.query_one(PanelFacts)
        assert facts.is_fully_read
        facts._lines_read, facts._laid_out_for = 0, facts._laid_out_for - 1
        assert not facts.is_fully_read


async def test_high_risk_waits_two_seconds_after_the_facts_were_visible():
    """Typing the PIN quickly does not shorten the two-second wait."""
    async with open_stage([an_approval("pay")]) as (pilot, stage):
        await _open_and_read(pilot, stage)
        stage.app.screen.query_one("#pin").value = PIN
        tick_screen(stage)
        assert _why(stage) == "Available in 1 s."
        pass_time(stage, 2)
        assert not _is_off(stage)


async def test_a_request_that_changes_under_the_panel_closes_it():
    """If the feed reports a changed amount, the panel closes and nothing is approved."""
    stage = make_stage([an_approval("pay")])
    changed = an_approval("pay", PAYMENT, headline="Pay EUR 4,820.01", salt="other")
    async with open_inbox(stage) as pilot:
        await _open(pilot, stage)
        stage.server.put(changed)
        stage.feed.tell(EventName.REQUESTED, changed)
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until_shown(pilot, stage, "This request changed. Nothing was approved.")
    assert stage.answers.calls == []


async def test_a_request_that_changed_on_the_server_is_not_approved():
    """Approving a request that changed without an event shows the same message."""
    async with open_stage([_low()]) as (pilot, stage):
        await _open(pilot, stage)
        stage.server.put(_low(salt="other"))
        await press(pilot, stage, "tab", "enter")
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until_shown(pilot, stage, "This request changed. Nothing was approved.")
    assert stage.answers.calls == []


async def test_an_answer_on_another_device_closes_the_panel():
    """The message names who decided, when, and on which device; `a` opens no panel any more."""
    async with open_stage([_low()]) as (pilot, stage):
        await _open(pilot, stage)
        winner = with_decision(_low(), Answer.DENY)
        stage.server.put(winner)
        stage.feed.tell(EventName.DECIDED, winner)
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until_shown(pilot, stage, "Denied by alice on phone at 14:32:10")
        await press(pilot, stage, "a")
        assert isinstance(stage.app.screen, InboxScreen)
        assert "Approve unavailable" in screen_text(stage)


async def test_an_unknown_outcome_is_shown_and_checked():
    """The app does not show a request as approved before the server confirms the answer."""
    stage = make_stage([_low()])
    stage.answers.failures.append(errors.UnknownOutcome(_low().id))
    async with open_inbox(stage) as pilot:
        await _open(pilot, stage)
        stage.server.is_down = True
        await press(pilot, stage, "tab", "enter")
        await until(
            pilot, lambda: inbox(stage).state.in_progress == {_low().id: AnswerProgress.CHECKING}
        )
        await until_shown(pilot, stage, "Checking whether your approval was recorded")
        assert "Approved" not in screen_text(stage)
        await press(pilot, stage, "a")
        await until_shown(
            pilot, stage, "Approve unavailable: checking whether your answer was recorded"
        )
        stage.server.is_down = False
        stage.server.put(with_decision(_low(), Answer.APPROVE))
        pass_time(stage, 3)
        await until(pilot, lambda: not inbox(stage).state.in_progress)
        await until_shown(pilot, stage, "Approved by alice")


async def test_an_answer_that_never_arrived_can_be_given_again():
    """If the server did not record an answer, the request can be approved again."""
    stage = make_stage([_low()])
    stage.answers.failures.append(errors.UnknownOutcome(_low().id))
    async with open_inbox(stage) as pilot:
        await _open(pilot, stage)
        await press(pilot, stage, "tab", "enter")
        await until_shown(pilot, stage, "was not recorded. The request is still waiting.")
        await press(pilot, stage, "a")
        assert isinstance(stage.app.screen, ApprovePanel)


async def test_only_one_answer_is_sent_at_a_time():
    """While an answer is being sent, Approve is unavailable and Esc does not close the panel."""
    stage = make_stage([_low()])
    stage.answers.hold = threading.Event()
    async with open_inbox(stage) as pilot:
        await _open(pilot, stage)
        await press(pilot, stage, "tab", "enter", "enter", "escape")
        assert isinstance(stage.app.screen, ApprovePanel)
        assert _is_off(stage)
        assert "Sending…" in _why(stage)
        stage.answers.hold.set()
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
    assert len(stage.answers.calls) == 1


async def test_losing_the_connection_disables_approve_in_the_open_panel():
    """Approve becomes unavailable without a connection, and the hint says why."""
    async with open_stage([_low()]) as (pilot, stage):
        await _open(pilot, stage)
        assert not _is_off(stage)
        stage.feed.connect(Phase.OFFLINE, "the line is cut")
        await until(pilot, lambda: _is_off(stage))
        assert "no connection" in _why(stage)


async def test_a_request_that_expires_under_the_panel_closes_it():
    """The panel closes with a message that says that expiring is not a denial."""
    async with open_stage([_low()]) as (pilot, stage):
        await _open(pilot, stage)
        pass_time(stage, 200)
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until_shown(
            pilot, stage, "Expired at 14:35:07. Not a denial. buyer-helper can ask again."
        )


@pytest.mark.parametrize(
    ("device", "words"),
    [
        (a_device(tries=10), "locked after wrong PINs"),
        (a_device(high_from=NOW + 60 * MINUTE), "can approve high risk from 15:32:07"),
    ],
)
async def test_a_device_that_cannot_approve_says_so_before_the_panel(device, words):
    """Pressing `a` opens no panel; the status line and the help say why."""
    async with open_stage([an_approval("pay")], device=device) as (pilot, stage):
        await press(pilot, stage, "a")
        assert isinstance(stage.app.screen, InboxScreen)
        assert words in screen_text(stage)
        await press(pilot, stage, "question_mark")
        assert "Approve unavailable" in screen_text(stage)


async def test_a_refusal_of_the_server_is_shown_escaped():
    """Control characters and markup in the server's error message have no effect."""
    stage = make_stage([_low()])
    stage.answers.failures.append(errors.ApiError("forbidden", 403, "no\x1b[2J [@click=app.quit]x"))
    async with open_inbox(stage) as pilot:
        await _open(pilot, stage)
        await press(pilot, stage, "tab", "enter")
        await until_shown(pilot, stage, "The server refused")
        assert "\x1b" not in screen_text(stage)
        await until_shown(pilot, stage, "[@click=app.quit]")
        assert inbox(stage).state.inbox.find(_low().id).state is ApprovalState.PENDING
