"""The panel for approving with limits and the report panel, at both sizes."""

from approver_tui.state.approvals.decision import Answer
from approver_tui.widgets.approvals.narrow_form import NarrowForm
from approver_tui.widgets.panel_button import PanelButton
from tests.support.clients.driving import inbox, press, until
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, with_decision
from tests.support.fakes.fake_requests import DEPLOY


async def _reduce(pilot, stage):
    await until(pilot, lambda: bool(stage.app.screen.query(NarrowForm)))
    await press(pilot, stage, "tab", *"500", "tab", "tab", "space")
    await until(pilot, lambda: not stage.app.screen.query_one("#continue", PanelButton).is_off)


def test_narrow_at_first(picture):
    """The panel shows every control that the action type allows, with nothing reduced."""

    async def wait_for_form(pilot, stage):
        await until(pilot, lambda: bool(stage.app.screen.query(NarrowForm)))

    assert picture(make_stage([an_approval("pay")]), "e", then=wait_for_form)


def test_narrow_preview(picture):
    """The preview compares what was requested with what would be granted."""
    assert picture(make_stage([an_approval("pay")]), "e", then=_reduce)


def test_narrow_approve_panel(picture):
    """The approve panel says that it approves a part, and shows which part."""

    async def press_continue(pilot, stage):
        await _reduce(pilot, stage)
        stage.app.screen.query_one("#continue").focus()
        await press(pilot, stage, "enter")

    assert picture(make_stage([an_approval("deploy", DEPLOY)]), "e", then=press_continue)


def test_report_at_first(picture):
    """No scope is chosen when the report panel opens."""
    assert picture(make_stage([an_approval("deploy", DEPLOY)]), "exclamation_mark")


def test_report(picture):
    """The panel shows the chosen scope and what the report will do."""
    assert picture(make_stage([an_approval("pay")]), "exclamation_mark", "2")


def test_report_of_a_past_request(picture):
    """A decided request cannot be denied, so the report can only quarantine agents."""

    async def decide_first(pilot, stage):
        screen, done = inbox(stage), with_decision(an_approval("pay"), Answer.APPROVE)
        stage.server.put(done)
        screen.set_state(screen.state.with_approval(done))
        await press(pilot, stage, "exclamation_mark")

    assert picture(make_stage([an_approval("pay")]), then=decide_first)
