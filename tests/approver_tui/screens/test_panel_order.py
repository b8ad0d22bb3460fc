"""Panels share one tab order, explain unavailable buttons, and keep typed text after Back."""

from dataclasses import replace

import pytest
from textual.widgets import Input

from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.approvals.narrow import NarrowPanel
from approver_tui.state.notifications.connection import Connection, Phase
from approver_tui.state.notifications.events import EventName
from approver_tui.widgets.approvals.narrow_form import NarrowForm
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.panel_button import PanelButton
from tests.support.clients.driving import (
    inbox,
    open_inbox,
    open_stage,
    press,
    screen_text,
    tick_screen,
    until,
)
from tests.support.fakes.fake_account import a_device
from tests.support.fakes.fake_answers import PIN
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, three_approvals
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import CONSENT, MINUTE, PRICES

PANELS = {
    "approve": (["a"], "approve"),
    "deny": (["d"], "deny"),
    "narrow": (["e"], "continue"),
    "standing grant": (["s"], "continue"),
    "report": (["exclamation_mark"], "report"),
    "approve several": (["x", "a"], "do"),
    "deny several": (["x", "d"], "deny"),
    "vouch": (["5", "j", "V"], "do"),
}
"""The keys that open each panel, and its button."""


def _stage(kind):
    if "several" in kind:
        return make_stage([an_approval(name, PRICES) for name in ("one", "two")])
    stage = make_stage([an_approval("pay")])
    other = replace(a_device(), id="sayso_dv_phone", is_this=False, high_from=NOW + 60 * MINUTE)
    stage.server.others = [other]
    return stage


@pytest.mark.parametrize("kind", PANELS)
async def test_tab_goes_through_the_fields_to_the_button_and_then_to_back(kind):
    """Tab reaches the button even while it is unavailable, and then Back."""
    keys, button = PANELS[kind]
    stage = _stage(kind)
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, *keys)
        screen = stage.app.screen
        if isinstance(screen, NarrowPanel):
            await until(pilot, lambda: bool(screen.query(NarrowForm)))
        screen.set_focus(screen.query_one("#back"))
        focused = []
        for _ in range(len(screen.focus_chain)):
            await press(pilot, stage, "tab")
            focused.append(screen.focused)
        ids = [widget.id for widget in focused if isinstance(widget, PanelButton)]
        assert ids == [button, "back"]
        assert focused[-2:] == [screen.query_one(f"#{button}"), screen.query_one("#back")]


async def test_enter_on_an_unavailable_button_says_why_and_keeps_the_panel():
    """Enter on Approve before it is available shows when it will be."""
    async with open_stage([an_approval("pay")]) as (pilot, stage):
        await press(pilot, stage, "a", "pagedown", "pagedown", "tab", *PIN, "tab")
        panel = stage.app.screen
        panel._all_seen_since = stage.clock.ticks()
        await pilot.press("enter")
        await pilot.pause()
        assert stage.app.focused.id == "approve"
        assert "Available in 2 s." in screen_text(stage)
        assert stage.app.screen is panel
        assert stage.answers.calls == []


async def test_an_event_moves_no_focus():
    """Neither a lost connection nor a new request moves the focus."""
    async with open_stage([an_approval("prices", PRICES)]) as (pilot, stage):
        await press(pilot, stage, "a", "tab")
        assert stage.app.focused.id == "approve"
        screen = inbox(stage)
        screen.set_state(screen.state.with_connection(Connection(Phase.OFFLINE, NOW)))
        tick_screen(stage)
        await pilot.pause()
        assert "Approve unavailable: no connection" in screen_text(stage)
        assert stage.app.focused.id == "approve"
        await press(pilot, stage, "escape", "d", "tab", "tab")
        before = stage.app.focused
        late = an_approval("late")
        stage.server.put(late)
        stage.feed.tell(EventName.REQUESTED, late)
        await until(pilot, lambda: late.id in inbox(stage).state.arrived_ids)
        assert stage.app.focused is before


KEPT = {
    "deny": (["d", "2", "tab"], "#note", "why"),
    "report": (["exclamation_mark", "2", "tab"], "#note", "mine"),
    "standing grant": (["s"], ".amount Input", "15"),
}


@pytest.mark.parametrize("kind", KEPT)
async def test_back_keeps_what_was_typed_for_this_request_only(kind):
    """The text is there when the same panel is opened again, but not for another request."""
    keys, field, typed = KEPT[kind]
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, *keys)
        stage.app.screen.query(field).first(Input).focus()
        await press(pilot, stage, *typed, "escape")
        assert "Nothing was sent. Your text is kept." in screen_text(stage)
        await press(pilot, stage, keys[0])
        assert stage.app.screen.query(field).first(Input).value == typed
        await press(pilot, stage, "escape", "j", keys[0])
        assert stage.app.screen.query(field).first(Input).value == ""


async def test_back_keeps_limits_and_reloads_their_preview():
    """A typed limit is kept after Esc, and its preview is loaded again."""
    async with open_stage([an_approval("pay")]) as (pilot, stage):
        await press(pilot, stage, "e")
        await until(pilot, lambda: bool(stage.app.screen.query(NarrowForm)))
        stage.app.screen.query(".amount Input").first(Input).focus()
        await press(pilot, stage, *"1000.00", "escape", "e")
        await until(pilot, lambda: bool(stage.app.screen.query(NarrowForm)))
        await until(pilot, lambda: not stage.app.screen.query_one("#continue").is_off)
        assert stage.app.screen.query(".amount Input").first(Input).value == "1000.00"


async def test_neither_the_pin_nor_the_chosen_reason_is_kept():
    """The PIN and the reason must be entered each time the panel opens."""
    async with open_stage([an_approval("pay")]) as (pilot, stage):
        await press(pilot, stage, "a", "tab", *PIN, "escape", "a")
        assert stage.app.screen.query_one("#pin", Input).value == ""
        await press(pilot, stage, "escape", "d", "2", "tab", "x", "escape", "d", "enter")
        assert "choose a reason" in screen_text(stage)


async def test_a_sent_answer_drops_the_draft():
    """Once a denial was started, its note is dropped, even if the denial is undone."""
    async with open_stage([an_approval("pay")]) as (pilot, stage):
        await press(pilot, stage, "d", "2", "tab", "x", "escape", "d", "2", "enter", "u", "d")
        assert stage.app.screen.query_one("#note", Input).value == ""
        assert not isinstance(stage.app.screen, InboxScreen)


def _bar(stage):
    bar = stage.app.screen.query_one(KeyBar)
    return str(bar.render())


async def test_the_keys_say_what_enter_does_where_the_focus_is():
    """The key bar names Enter only where it denies or goes back."""
    async with open_stage([an_approval("pay")]) as (pilot, stage):
        await press(pilot, stage, "d")
        assert "Enter" not in _bar(stage)
        await press(pilot, stage, "2")
        assert "Enter Deny" in _bar(stage)
        await press(pilot, stage, "tab")
        assert "Enter" not in _bar(stage)
        await press(pilot, stage, "tab", "tab")
        assert "Enter Deny" in _bar(stage)
        await press(pilot, stage, "tab")
        assert "Enter Back" in _bar(stage)


@pytest.mark.parametrize(("request_", "digits"), [(None, "1-3 Pick"), (CONSENT, "1-2 Pick")])
async def test_the_key_bar_of_a_report_names_the_valid_digits(request_, digits):
    """A request without an agent has two choices instead of three."""
    async with open_stage(
        [an_approval("pay") if request_ is None else an_approval("c", request_)]
    ) as (pilot, stage):
        await press(pilot, stage, "exclamation_mark")
        assert digits in _bar(stage)
