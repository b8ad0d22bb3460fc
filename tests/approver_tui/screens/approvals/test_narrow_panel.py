"""Approving with limits: only what the preview showed is approved."""

import threading

import pytest

from approver_tui.client import errors
from approver_tui.screens.approvals.approve import ApprovePanel
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.approvals.narrow import NarrowPanel
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.narrowing import NarrowedFact, Narrowing
from approver_tui.widgets.approvals.narrow_form import NarrowForm
from approver_tui.widgets.panel_button import PanelButton
from tests.support.clients.driving import (
    NARROW,
    inbox,
    open_stage,
    press,
    screen_text,
    type_quickly,
    until,
    until_shown,
)
from tests.support.fakes.fake_answers import PIN
from tests.support.fakes.fake_approvals import an_approval, three_approvals
from tests.support.fakes.fake_requests import CONSENT

PAY = three_approvals()[0]


def _has_form(stage):
    return len(stage.app.screen.query(NarrowForm)) == 1


def _is_on(stage):
    return not stage.app.screen.query_one("#continue", PanelButton).is_off


async def _open_and_press(pilot, stage, *keys):
    """Open the panel, wait for its controls, focus the first control, and press keys."""
    await press(pilot, stage, "e")
    await until(pilot, lambda: _has_form(stage))
    await press(pilot, stage, "tab", *keys)


async def test_a_smaller_amount_is_previewed_and_then_approved():
    """The preview compares both amounts, and the approve panel signs the smaller one."""
    async with open_stage([PAY]) as (pilot, stage):
        await _open_and_press(pilot, stage, *"500", "enter")
        await until(pilot, lambda: _is_on(stage))
        assert stage.answers.proposals == [Narrowing((NarrowedFact(0, "/amount", "500"),))]
        await until_shown(pilot, stage, "Amount        EUR 4,820.00")
        stage.app.screen.query_one("#continue").focus()
        await press(pilot, stage, "enter")
        await until(pilot, lambda: isinstance(stage.app.screen, ApprovePanel))
        text = screen_text(stage)
        assert "do part of this once" in text
        assert "WITH LIMITS" in text
        await press(pilot, stage, "pagedown", "tab", *PIN)
        stage.clock.move(3)
        await press(pilot, stage, "tab", "enter")
        await until(pilot, lambda: len(stage.answers.calls) == 1)
    assert stage.answers.calls[0][1] is Answer.APPROVE
    (granted,) = stage.answers.granted
    assert [(row.label, row.granted) for row in granted.differences] == [("Amount", "500")]


@pytest.mark.parametrize(
    ("keys", "proposal"),
    [
        (["tab", "space"], Narrowing((NarrowedFact(0, "/invoices", "2"),))),
        (["tab", "space", "tab", "space"], Narrowing((NarrowedFact(0, "/invoices", "none"),))),
        (["tab", "tab", "tab", "enter"], Narrowing((NarrowedFact(0, "/dry_run", "yes"),))),
        (["tab"] * 4 + ["2", "tab"], Narrowing((NarrowedFact(0, "/by", "2"),))),
        (["tab"] * 5 + ["space"], Narrowing(drop_scopes=("payments:read",))),
        (["tab"] * 7 + ["6", "0", "enter"], Narrowing(token_seconds=60)),
    ],
)
async def test_each_control_is_part_of_the_proposal(keys, proposal):
    """Items, a dry run, an earlier time, scopes, and the token lifetime can each be reduced."""
    async with open_stage([PAY]) as (pilot, stage):
        await _open_and_press(pilot, stage, *keys)
        await until(pilot, lambda: _is_on(stage))
    assert stage.answers.proposals[-1] == proposal


async def test_without_a_reduction_there_is_nothing_to_approve():
    """Clearing a checkbox and setting it again is not a reduction."""
    async with open_stage([PAY]) as (pilot, stage):
        await _open_and_press(pilot, stage, "tab", "space", "space")
        assert not _is_on(stage)
        assert "Continue unavailable: reduce something first." in screen_text(stage)


async def test_typing_drops_the_old_preview():
    """While a typed value is not applied, Continue is unavailable."""
    async with open_stage([PAY]) as (pilot, stage):
        await _open_and_press(pilot, stage, *"50", "enter")
        await until(pilot, lambda: _is_on(stage))
        await press(pilot, stage, "0")
        assert not _is_on(stage)
        assert "press Enter or Tab to apply the value." in screen_text(stage)
        await press(pilot, stage, "tab")
        await until(pilot, lambda: _is_on(stage))
        assert stage.answers.proposals[-1].changes[0].to == "500"


async def test_the_preview_of_an_older_proposal_is_ignored():
    """A preview that arrives after a further change does not make Continue available."""
    async with open_stage([PAY]) as (pilot, stage):
        await press(pilot, stage, "e")
        await until(pilot, lambda: _has_form(stage))
        stage.answers.hold = threading.Event()
        await press(pilot, stage, "tab", "5", "enter")
        assert "loading the preview" in screen_text(stage)
        await press(pilot, stage, "backspace")
        stage.answers.hold.set()
        await until(pilot, lambda: len(stage.answers.proposals) == 1)
        await pilot.pause()
        assert not _is_on(stage)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ([*"9000", "enter"], "Amount: is not less than what was requested"),
        (["tab"] * 7 + ["x", "enter"], "use a whole number of seconds."),
    ],
)
async def test_an_invalid_reduction_says_why(keys, says):
    """The hint shows the error, and Continue stays unavailable."""
    async with open_stage([PAY]) as (pilot, stage):
        await _open_and_press(pilot, stage, *keys)
        await until(pilot, lambda: says in str(stage.app.screen.query_one("#hint").content))
        assert not _is_on(stage)
    assert stage.answers.calls == []


async def test_an_error_while_loading_the_controls_is_shown():
    """The panel stays open with the error, and Esc closes it."""
    async with open_stage([PAY]) as (pilot, stage):
        stage.server.is_down = True
        await press(pilot, stage, "e")
        await until_shown(pilot, stage, "The server did not respond.")
        await press(pilot, stage, "escape")
        assert isinstance(stage.app.screen, InboxScreen)


async def test_a_preview_that_is_not_the_proposal_is_refused():
    """If the server would grant something else, Continue stays unavailable."""
    async with open_stage([PAY]) as (pilot, stage):
        stage.answers.failures.append(errors.Changed("Something else would be granted."))
        await _open_and_press(pilot, stage, "5", "enter")
        await until_shown(pilot, stage, "Something else would be granted.")
        assert not _is_on(stage)


async def test_a_request_that_changes_under_the_panel_closes_it():
    """The panel closes with a message, and nothing is approved."""
    async with open_stage([PAY]) as (pilot, stage):
        await _open_and_press(pilot, stage, "5", "enter")
        screen = inbox(stage)
        screen.set_state(screen.state.with_approval(an_approval("pay", salt="another")))
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until_shown(pilot, stage, "This request changed. Nothing was approved.")


async def test_only_agent_actions_can_be_narrowed():
    """A consent cannot be approved with limits, and the key says why."""
    async with open_stage([an_approval("consent", CONSENT)]) as (pilot, stage):
        await press(pilot, stage, "e")
        assert isinstance(stage.app.screen, InboxScreen)
        assert (
            "Approve with limits unavailable: only agent actions can be approved with limits."
            in screen_text(stage)
        )


@pytest.mark.parametrize("size", [NARROW, (100, 30)])
async def test_fast_typing_approves_no_part(size):
    """Twenty keys a second in the panel neither propose nor approve anything."""
    async with open_stage([PAY], size=size) as (pilot, stage):
        keys = ["e", "tab", "5", "enter", *["tab"] * 9, "enter", "tab", "enter"]
        await type_quickly(pilot, stage, keys * 2)
        assert isinstance(stage.app.screen, NarrowPanel)
    assert (stage.answers.calls, stage.answers.proposals) == ([], [])


async def test_the_guard_blocks_the_continue_button():
    """Continue does nothing while the guard ignores input."""
    async with open_stage([PAY]) as (pilot, stage):
        await _open_and_press(pilot, stage, "tab", "space")
        await until(pilot, lambda: _is_on(stage))
        stage.app.context.guard.arm()
        await stage.app.screen.run_action("app.focus_next")
        stage.app.screen.query_one("#continue", PanelButton).press()
        await pilot.pause()
        assert isinstance(stage.app.screen, NarrowPanel)
