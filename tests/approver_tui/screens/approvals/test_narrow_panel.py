"""Approving less: only what is less can be said, and only what was compared is approved."""

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
from tests.support.clients.driving import NARROW, inbox, opened, press, run_on, shown, until
from tests.support.fakes.fake_answers import PIN
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval, three
from tests.support.fakes.fake_requests import CONSENT

PAY = three()[0]


def _form(stage):
    return len(stage.app.screen.query(NarrowForm)) == 1


def _is_on(stage):
    return not stage.app.screen.query_one("#on", PanelButton).disabled


async def _less(pilot, stage, *keys):
    """Open the panel, wait for its controls and press keys in them, the first one focused."""
    await press(pilot, stage, "e")
    await until(pilot, lambda: _form(stage))
    await press(pilot, stage, "tab", *keys)


async def test_a_smaller_amount_is_compared_and_then_approved_with_its_text():
    """The wish, both columns, the panel that approves with what is less in it, and that text."""
    stage = a_stage([PAY])
    async with opened(stage) as pilot:
        await _less(pilot, stage, *"500", "enter")
        await until(pilot, lambda: _is_on(stage))
        assert stage.answers.wishes == [Narrowing((NarrowedFact(0, "/amount", "500"),))]
        await until(pilot, lambda: "Amount        EUR 4,820.00" in shown(stage))
        stage.app.screen.query_one("#on").focus()
        await press(pilot, stage, "enter")
        await until(pilot, lambda: isinstance(stage.app.screen, ApprovePanel))
        text = shown(stage)
        assert "do part of this once" in text
        assert "APPROVE WITH LIMITS" in text
        await press(pilot, stage, "pagedown", "tab", *PIN)
        stage.clock.move(3)
        await press(pilot, stage, "tab", "enter")
        await until(pilot, lambda: len(stage.answers.given) == 1)
    assert stage.answers.given[0][1] is Answer.APPROVE
    (granted,) = stage.answers.granted
    assert [(row.label, row.granted) for row in granted.differences] == [("Amount", "500")]


@pytest.mark.parametrize(
    ("keys", "wish"),
    [
        (["tab", "space"], Narrowing((NarrowedFact(0, "/invoices", "2"),))),
        (["tab", "space", "tab", "space"], Narrowing((NarrowedFact(0, "/invoices", "none"),))),
        (["tab", "tab", "tab", "enter"], Narrowing((NarrowedFact(0, "/dry_run", "yes"),))),
        (["tab"] * 4 + ["2", "tab"], Narrowing((NarrowedFact(0, "/by", "2"),))),
        (["tab"] * 5 + ["space"], Narrowing(drop_scopes=("payments:read",))),
        (["tab"] * 7 + ["6", "0", "enter"], Narrowing(token_seconds=60)),
    ],
)
async def test_each_control_says_its_part_of_the_wish(keys, wish):
    """Items, a dry run, an earlier time, rights, the life of the token."""
    stage = a_stage([PAY])
    async with opened(stage) as pilot:
        await _less(pilot, stage, *keys)
        await until(pilot, lambda: _is_on(stage))
    assert stage.answers.wishes[-1] == wish


async def test_nothing_less_is_nothing_to_approve():
    """As it opens, and after something was unticked and ticked again."""
    stage = a_stage([PAY])
    async with opened(stage) as pilot:
        await _less(pilot, stage, "tab", "space", "space")
        assert not _is_on(stage)
        assert "Continue unavailable: reduce something first." in shown(stage)


async def test_what_is_typed_on_is_another_wish():
    """What was compared before does not stand for it; the way on is closed until it was asked."""
    stage = a_stage([PAY])
    async with opened(stage) as pilot:
        await _less(pilot, stage, *"50", "enter")
        await until(pilot, lambda: _is_on(stage))
        await press(pilot, stage, "0")
        assert not _is_on(stage)
        assert "press Enter or Tab to apply the value." in shown(stage)
        await press(pilot, stage, "tab")
        await until(pilot, lambda: _is_on(stage))
        assert stage.answers.wishes[-1].changes[0].to == "500"


async def test_an_answer_to_an_older_wish_is_not_taken():
    """It comes after the person has wished for something else."""
    stage = a_stage([PAY])
    async with opened(stage) as pilot:
        await press(pilot, stage, "e")
        await until(pilot, lambda: _form(stage))
        stage.answers.hold = threading.Event()
        await press(pilot, stage, "tab", "5", "enter")
        assert "loading the preview" in shown(stage)
        await press(pilot, stage, "backspace")
        stage.answers.hold.set()
        await until(pilot, lambda: len(stage.answers.wishes) == 1)
        await pilot.pause()
        assert not _is_on(stage)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ([*"9000", "enter"], "is not less than what was asked"),
        (["tab"] * 7 + ["x", "enter"], "use a whole number of seconds."),
    ],
)
async def test_what_is_not_less_says_why(keys, says):
    """In the server's words, or ours where it is no number; nothing can be approved."""
    stage = a_stage([PAY])
    async with opened(stage) as pilot:
        await _less(pilot, stage, *keys)
        await until(pilot, lambda: says in str(stage.app.screen.query_one("#why-off").content))
        assert not _is_on(stage)
    assert stage.answers.given == []


async def test_a_server_that_cannot_say_what_may_be_less_is_told():
    """The panel stays, with the reason, and goes back on Esc."""
    stage = a_stage([PAY])
    async with opened(stage) as pilot:
        stage.server.is_down = True
        await press(pilot, stage, "e")
        await until(pilot, lambda: "The server did not answer." in shown(stage))
        await press(pilot, stage, "escape")
        assert isinstance(stage.app.screen, InboxScreen)


async def test_a_text_that_is_not_the_wish_is_told():
    """The client has found out; the way on stays closed."""
    stage = a_stage([PAY])
    async with opened(stage) as pilot:
        stage.answers.failures.append(errors.Changed("Something else would be granted."))
        await _less(pilot, stage, "5", "enter")
        await until(pilot, lambda: "Something else would be granted." in shown(stage))
        assert not _is_on(stage)


async def test_a_request_that_changes_under_the_panel_closes_it():
    """With the words of the other panels, and nothing approved."""
    stage = a_stage([PAY])
    async with opened(stage) as pilot:
        await _less(pilot, stage, "5", "enter")
        screen = inbox(stage)
        screen.change(screen.state.seen(an_approval("pay", salt="another")))
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until(pilot, lambda: "This request changed. Nothing was approved." in shown(stage))


async def test_only_what_an_agent_does_can_be_less():
    """A consent is taken or left."""
    stage = a_stage([an_approval("consent", CONSENT)])
    async with opened(stage) as pilot:
        await press(pilot, stage, "e")
        assert isinstance(stage.app.screen, InboxScreen)
        assert "Limits unavailable: only agent actions can be approved with limits." in shown(stage)


@pytest.mark.parametrize("size", [NARROW, (100, 30)])
async def test_running_typing_approves_no_part(size):
    """Keys at twenty a second from the inbox into the panel: nothing is asked, nothing approved."""
    stage = a_stage([PAY])
    async with opened(stage, size) as pilot:
        keys = ["e", "tab", "5", "enter", *["tab"] * 9, "enter", "tab", "enter"]
        await run_on(pilot, stage, keys * 2)
        assert isinstance(stage.app.screen, NarrowPanel)
    assert (stage.answers.given, stage.answers.wishes) == ([], [])


async def test_a_click_ticks_and_the_guard_holds_the_button():
    """The mouse does what the space bar does; the way on needs quiet like every button."""
    stage = a_stage([PAY])
    async with opened(stage) as pilot:
        await _less(pilot, stage, "tab", "space")
        await until(pilot, lambda: _is_on(stage))
        stage.app.context.guard.arm()
        await stage.app.screen.run_action("app.focus_next")
        stage.app.screen.query_one("#on", PanelButton).press()
        await pilot.pause()
        assert isinstance(stage.app.screen, NarrowPanel)
