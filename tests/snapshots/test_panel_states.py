"""Panels without a connection, after expiry, and with hostile text; at both sizes."""

import pytest

from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.widgets.approvals.narrow_form import NarrowForm
from tests.support.clients.driving import disconnect, is_live, pass_time, tick_screen, until
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_requests import MINUTE

EVIL = "inv\u202eoice-bot[b]\x1b[2J [@click=app.quit]here[/]" + "x" * 90
PANELS = pytest.mark.parametrize(
    "key",
    ["a", "d", "e", "exclamation_mark", "o"],
    ids=["approve", "deny", "less", "report", "elsewhere"],
)


async def _drawn(pilot, stage, key):
    if key == "e":
        await until(pilot, lambda: bool(stage.app.screen.query(NarrowForm)))


@PANELS
def test_hostile_text_in_a_panel(picture, key):
    """Hostile text has no effect and moves no other part of the panel."""
    facts = [("Payee", EVIL, True), ("Amount", "EUR 4,820.00", True)]
    terms = {"agent": EVIL[:120], "headline": f"Pay {EVIL}", "says": EVIL, "facts": facts}

    async def wait_for_form(pilot, stage):
        await _drawn(pilot, stage, key)

    assert picture(make_stage([an_approval("evil", **terms)]), key, then=wait_for_form)


@PANELS
def test_offline_in_a_panel(picture, key):
    """Without a connection the panel stays open and says why its button is unavailable."""

    async def go_offline(pilot, stage):
        await _drawn(pilot, stage, key)
        await disconnect(pilot, stage, "the server does not answer")

    assert picture(make_stage([an_approval("pay")]), key, then=go_offline)


@pytest.mark.parametrize("key", ["a", "d", "e", "o"], ids=["approve", "deny", "less", "elsewhere"])
def test_expired_in_a_panel(picture, key):
    """After the request expired, the panel has closed and the inbox shows the outcome."""

    async def let_expire(pilot, stage):
        await _drawn(pilot, stage, key)
        pass_time(stage, 6 * MINUTE / 1000)
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        tick_screen(stage)
        await until(pilot, lambda: is_live(stage))

    assert picture(make_stage([an_approval("pay")]), key, then=let_expire)
