"""Requests that can be answered together, for screens and pictures.

Owns: small payments of one agent, one of them unusual, and selecting them. Never: the network.
"""

from collections.abc import Sequence

from textual.pilot import Pilot
from textual.widgets import Static

from approver_tui.screens.approvals.batch import BatchPanel
from approver_tui.screens.approvals.results import ResultsPanel
from approver_tui.screens.button_panel import ButtonPanel
from approver_tui.state.approvals.approvals import Approval
from approver_tui.widgets.approvals.approval_list import ApprovalList
from approver_tui.widgets.approvals.batch_table import BatchTable
from tests.support.clients.driving import inbox, press, tick_screen, until
from tests.support.fakes.fake_app import Stage
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_requests import MINUTE, PAYMENT

_UNUSUAL = [("new_target", "First time: “To”.")]


def a_payment(name: str, minor: int, payee: str, left: int, **changes: object) -> Approval:
    """Return a payment of medium risk with nothing unusual about it; `left` in minutes."""
    euro = f"EUR {minor / 100:,.2f}"
    terms = {
        **PAYMENT,
        "risk": "medium",
        "unusual": [],
        "headline": f"Pay {euro} to {payee}",
        "facts": [("Amount", euro, True), ("To", payee, True), ("Reference", name, False)],
        "details": [
            {
                "type": "payment.transfer",
                "amount": {"minor": minor, "currency": "EUR"},
                "payee": payee,
            }
        ],
        **changes,
    }
    return an_approval(name, terms, expires_in=left * MINUTE)


ONE = a_payment("one", 4_820, "Nordwind Logistik GmbH", 14)
TWO = a_payment("two", 1_999, "Kolibri AG", 15)
THREE = a_payment("three", 123, "Bo", 16)
NEW = a_payment("new", 900_000, "Neu Ltd", 17, unusual=_UNUSUAL)


async def select(pilot: Pilot[None], stage: Stage, *approvals: Approval) -> None:
    """Select these approvals by pressing `x` on each row."""
    for approval in approvals:
        await go_to(pilot, stage, approval)
        await press(pilot, stage, "x")


async def go_to(pilot: Pilot[None], stage: Stage, approval: Approval) -> None:
    """Move the cursor from the top of the list down to the row of this approval."""
    rows = stage.app.screen.query_one(ApprovalList)._first_lines
    await press(pilot, stage, "g")
    await until(pilot, lambda: inbox(stage).state.cursor_id == next(iter(rows)))
    while (before := inbox(stage).state.cursor_id) != approval.id:
        await press(pilot, stage, "j")
        await until(pilot, lambda was=before: inbox(stage).state.cursor_id != was)  # type: ignore[misc]  # mypy reads no lambda with a default


async def open_batch(pilot: Pilot[None], stage: Stage, key: str = "a") -> BatchPanel:
    """Press the key that answers the selected requests, and wait until the panel is drawn."""
    await press(pilot, stage, key)
    await until(pilot, lambda: isinstance(stage.app.screen, BatchPanel))
    panel = stage.app.screen
    assert isinstance(panel, BatchPanel)
    await until(pilot, lambda: panel.is_ready and _is_laid_out(panel))
    return panel


def _is_laid_out(panel: BatchPanel) -> bool:
    table = panel.query_one(BatchTable)
    more = str(panel.query_one("#more", Static).content)
    return bool(table._placed) and more == table.more_hint


async def scroll_to_end(pilot: Pilot[None], stage: Stage) -> BatchPanel:
    """Scroll the open panel to its end."""
    panel = stage.app.screen
    assert isinstance(panel, BatchPanel)
    table = panel.query_one(BatchTable)
    await until(pilot, lambda: panel.is_ready and bool(table._placed))
    while before := table.unread:
        await press(pilot, stage, "pagedown")
        await until(pilot, lambda was=before: table.unread < was)  # type: ignore[misc]  # mypy reads no lambda with a default
    tick_screen(stage)
    return panel


async def to_the_field(pilot: Pilot[None], stage: Stage, name: str) -> None:
    """Press Tab until the field or button with this ID has the focus."""
    for _ in range(12):
        focused = stage.app.focused
        if focused is not None and focused.id == name:
            return
        await press(pilot, stage, "tab")
        await until(pilot, lambda was=focused: stage.app.focused is not was)  # type: ignore[misc]  # mypy reads no lambda with a default
    raise AssertionError(f"Tab never led to {name}.")


async def send(pilot: Pilot[None], stage: Stage) -> ResultsPanel:
    """Press the panel's button, and wait for the list of results."""
    panel = stage.app.screen
    assert isinstance(panel, ButtonPanel)
    await to_the_field(pilot, stage, panel.BUTTON)
    stage.clock.move(1)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(stage.app.screen, ResultsPanel))
    results = stage.app.screen
    assert isinstance(results, ResultsPanel)
    await until(pilot, lambda: results.is_ready)
    tick_screen(stage)
    return results


async def type_in(pilot: Pilot[None], stage: Stage, name: str, keys: Sequence[str]) -> None:
    """Move the focus to a field and type these keys."""
    await to_the_field(pilot, stage, name)
    for key in keys:
        stage.clock.move(0.2)
        await pilot.press(key)
    stage.clock.move(1)
    tick_screen(stage)
    await pilot.pause()
