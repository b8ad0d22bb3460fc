"""Approving with more steps than a PIN: a match number, a type-back, a reason."""

import pytest
from textual.widgets import Static

from approver_tui.client import errors
from approver_tui.screens.approvals.approve import ApprovePanel
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.state.approvals.ceremony import Entries
from approver_tui.state.approvals.decision import Answer
from approver_tui.widgets.panel_button import PanelButton
from approver_tui.widgets.typed_input import TypedInput
from tests.support.clients.driving import (
    NARROW,
    WIDE,
    open_inbox,
    open_stage,
    pass_time,
    paste,
    press,
    screen_text,
    tick_screen,
    type_quickly,
    until,
    until_shown,
)
from tests.support.fakes.fake_answers import PIN
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_requests import DEPLOY, PAYMENT

BACK = {
    "ceremony": "pin+type_back",
    "type_back": {"label": "Amount", "kind": "money", "at": "/authorization_details/0/amount"},
}
EVERYTHING = {**BACK, "ceremony": "match+pin+reason+type_back"}
NUMBER = {"ceremony": "match"}


async def _open(pilot, stage):
    """Open the panel and read to its end."""
    await press(pilot, stage, "a")
    assert isinstance(stage.app.screen, ApprovePanel)
    while _why(stage).startswith("Approve unavailable: scroll down"):
        await press(pilot, stage, "pagedown")
    return stage.app.screen


async def _type(pilot, stage, *texts):
    """Type each text into the next field."""
    for text in texts:
        await press(pilot, stage, "tab")
        await type_quickly(
            pilot, stage, ["space" if key == " " else key for key in text], interval=0.2
        )
    pass_time(stage, 4)


async def _approve(pilot, stage):
    await press(pilot, stage, "tab", "enter")


def _why(stage):
    return str(stage.app.screen.query_one("#hint", Static).content)


def _is_off(stage):
    return stage.app.screen.query_one("#approve", PanelButton).is_off


def _refusal(kind, status, step, left):
    members = {"step": step, "left": left}
    return kind("code", status, "The server's words.", members)


async def test_a_fact_and_the_pin_are_typed_one_after_the_other():
    """The hint names the next missing entry, and the answer has both the fact and the PIN."""
    async with open_stage([an_approval("pay", PAYMENT, **BACK)]) as (pilot, stage):
        await _open(pilot, stage)
        assert _why(stage) == 'Approve unavailable: press Tab, then type the value of "Amount".'
        await _type(pilot, stage, "4820")
        assert _why(stage) == "Approve unavailable: type your PIN."
        assert _is_off(stage)
        await _type(pilot, stage, PIN)
        await _approve(pilot, stage)
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
    assert stage.answers.calls == [(an_approval("pay").id, Answer.APPROVE, PIN)]
    assert stage.answers.entered == [Entries(fact="4820")]


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_the_fact_to_type_is_not_on_the_screen(size):
    """The fact is hidden in the headline, in the facts, and on the screen below the panel."""
    async with open_stage([an_approval("pay", PAYMENT, **BACK)], size=size) as (pilot, stage):
        assert "4,820.00" in screen_text(stage)
        await press(pilot, stage, "a")
        tick_screen(stage)
        await pilot.pause()
        assert "4,820.00" not in screen_text(stage)
        assert "[you type this]" in screen_text(stage)
        assert "Nordwind" in screen_text(stage)


async def test_paste_fills_no_field_and_enter_in_one_sends_nothing():
    """All fields must be typed, and Enter in a field does not approve."""
    async with open_stage([an_approval("pay", PAYMENT, **EVERYTHING)]) as (pilot, stage):
        panel = await _open(pilot, stage)
        for _ in range(4):
            await press(pilot, stage, "tab")
            stage.clock.move(5)
            await paste(pilot, stage, "4820")
            await press(pilot, stage, "enter")
        assert [field.value for field in panel.query(TypedInput)] == [""] * 4
    assert stage.answers.calls == []


async def test_all_steps_fit_at_the_smallest_size():
    """On the smallest screen, Tab reaches every field and then Approve."""
    async with open_stage(
        [an_approval("pay", PAYMENT, **EVERYTHING, risk="critical")], size=NARROW
    ) as (pilot, stage):
        await _open(pilot, stage)
        await _type(pilot, stage, "482", "4820", "on the list", PIN)
        await _approve(pilot, stage)
        await until(pilot, lambda: bool(stage.answers.calls))
    assert stage.answers.entered == [Entries(fact="4820", match="482", reason="on the list")]


async def test_a_match_number_alone_needs_no_pin():
    """A medium-risk request in an unlocked app is approved with the match number alone."""
    async with open_stage([an_approval("deploy", DEPLOY, **NUMBER)]) as (pilot, stage):
        await _open(pilot, stage)
        assert (
            _why(stage)
            == "Approve unavailable: press Tab, then type the match number that the agent shows."
        )
        await _type(pilot, stage, "482")
        await _approve(pilot, stage)
        await until(pilot, lambda: bool(stage.answers.calls))
    assert stage.answers.calls == [(an_approval("deploy", DEPLOY).id, Answer.APPROVE, None)]
    assert stage.answers.entered == [Entries(match="482")]


@pytest.mark.parametrize("typed", ["4", "48", "4821", "4x2"])
async def test_an_impossible_match_number_keeps_approve_unavailable(typed):
    """Sending an impossible number would use up one of the two attempts."""
    async with open_stage([an_approval("deploy", DEPLOY, **NUMBER)]) as (pilot, stage):
        await _open(pilot, stage)
        await _type(pilot, stage, typed)
        assert _is_off(stage)
        assert _why(stage) == "Approve unavailable: type the match number that the agent shows."
    assert stage.answers.calls == []


@pytest.mark.parametrize(
    ("left", "message"), [(1, "1 attempt left."), (2, "2 attempts left.")], ids=["one", "two"]
)
async def test_a_wrong_entry_says_how_many_attempts_are_left(left, message):
    """The wrong field is cleared and focused, and the PIN must be typed again too."""
    stage = make_stage([an_approval("pay", PAYMENT, **BACK)])
    stage.answers.failures = [_refusal(errors.WrongEntry, 422, "type_back", left)]
    async with open_inbox(stage) as pilot:
        panel = await _open(pilot, stage)
        await _type(pilot, stage, "1234", PIN)
        await _approve(pilot, stage)
        await until(pilot, lambda: message in screen_text(stage))
        await until(pilot, lambda: stage.app.focused is panel.query_one("#type_back"))
        assert [field.value for field in panel.query(TypedInput)] == [""] * 4
        assert _is_off(stage)
    assert stage.answers.calls == []


async def test_a_wrong_entry_of_an_unknown_step_keeps_the_panel():
    """If a newer server names a step that the app does not know, the focus goes to the PIN."""
    stage = make_stage([an_approval("pay", PAYMENT, **BACK)])
    stage.answers.failures = [_refusal(errors.WrongEntry, 422, "dance", "x")]
    async with open_inbox(stage) as pilot:
        panel = await _open(pilot, stage)
        await _type(pilot, stage, "1234", PIN)
        await _approve(pilot, stage)
        await until_shown(pilot, stage, "0 attempts left")
        await until(pilot, lambda: stage.app.focused is panel.query_one("#pin"))


async def test_a_locked_request_closes_the_panel():
    """After two wrong entries the panel closes and says that nothing was approved."""
    stage = make_stage([an_approval("pay", PAYMENT, **BACK)])
    stage.answers.failures = [_refusal(errors.RequestLocked, 423, "type_back", 0)]
    async with open_inbox(stage) as pilot:
        await _open(pilot, stage)
        await _type(pilot, stage, "1234", PIN)
        await _approve(pilot, stage)
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until_shown(pilot, stage, "This request is locked after two wrong entries")
        await until_shown(pilot, stage, "Nothing was approved.")


async def test_the_details_show_what_approving_requires():
    """The details list the PIN and the type-back before the panel is opened."""
    async with open_stage([an_approval("pay", PAYMENT, **BACK)]) as (pilot, stage):
        await press(pilot, stage, "enter", "G")
        assert 'your PIN, the value of "Amount"' in screen_text(stage)
