"""Selecting requests in the inbox, and what deselects them."""

from dataclasses import replace

from textual import events

from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.keymap import Keymap
from approver_tui.state.notifications.events import EventName
from approver_tui.widgets.key_bar import KeyBar
from tests.support.builders.batches import NEW, ONE, THREE, TWO, a_payment, go_to, select
from tests.support.clients.driving import (
    NARROW,
    inbox,
    open_stage,
    pass_time,
    press,
    screen_text,
    until,
    until_shown,
)
from tests.support.fakes.fake_approvals import an_approval, with_decision
from tests.support.fakes.fake_requests import DEPLOY, MINUTE

DEPLOYED = an_approval("deploy", DEPLOY, expires_in=30 * MINUTE)
HIGH = an_approval("high", expires_in=40 * MINUTE)
LISTED = [ONE, TWO, THREE, NEW, DEPLOYED, HIGH]


def _selected(stage):
    return [request.id for request in inbox(stage).state.selection]


async def test_x_selects_and_deselects():
    """Once a request is selected, every row that can be selected shows a checkbox."""
    async with open_stage(LISTED) as (pilot, stage):
        assert "[ ]" not in screen_text(stage)
        await select(pilot, stage, TWO, ONE)
        assert _selected(stage) == [ONE.id, TWO.id]
        assert "2 selected." in screen_text(stage)
        assert screen_text(stage).count("[x] invoice-bot") == 2
        assert screen_text(stage).count("[ ] invoice-bot") == 2
        assert "a Approve 2..  d Deny 2.." in screen_text(stage)
        await press(pilot, stage, "x")
        assert _selected(stage) == [TWO.id]
        await press(pilot, stage, "X")
        assert _selected(stage) == [ONE.id, TWO.id, THREE.id, NEW.id]
        await press(pilot, stage, "X")
        assert _selected(stage) == []
        assert "Nothing is selected." in screen_text(stage)
        assert "[ ]" not in screen_text(stage)
        await press(pilot, stage, "X")
        assert len(_selected(stage)) == 4


async def test_select_all_on_a_high_risk_request_selects_nothing():
    """The message says that high-risk requests are answered individually."""
    async with open_stage([HIGH, ONE]) as (pilot, stage):
        await go_to(pilot, stage, HIGH)
        await press(pilot, stage, "X")
        assert "Select unavailable: high-risk requests are answered individually." in screen_text(
            stage
        )
        assert _selected(stage) == []


async def test_a_request_that_cannot_be_selected_says_why():
    """A high-risk request or one from another agent is not selected, and the reason is shown."""
    async with open_stage(LISTED) as (pilot, stage):
        await select(pilot, stage, ONE, DEPLOYED)
        assert (
            "Select unavailable: the selected requests are from a different agent, invoice-bot."
            in screen_text(stage)
        )
        await select(pilot, stage, HIGH)
        assert "Select unavailable: high-risk requests are answered individually." in screen_text(
            stage
        )
        assert _selected(stage) == [ONE.id]


async def test_a_decided_request_cannot_be_selected():
    """The message says who denied the request."""
    async with open_stage([ONE, TWO]) as (pilot, stage):
        stage.feed.tell(EventName.DECIDED, with_decision(ONE, Answer.DENY))
        await until_shown(pilot, stage, "Denied by alice on phone")
        await select(pilot, stage, ONE)
        assert "Select unavailable: Denied by alice on phone" in screen_text(stage)
        assert _selected(stage) == []


async def test_a_group_row_is_selected_as_a_whole():
    """Selecting a row selects all its requests; `[-]` means that only some are selected."""
    flood = [an_approval(f"flood {n}", DEPLOY, expires_in=(5 + n) * MINUTE) for n in range(3)]
    async with open_stage(flood) as (pilot, stage):
        await press(pilot, stage, "x")
        assert _selected(stage) == [request.id for request in flood]
        assert "[x] release-agent" in screen_text(stage)
        await press(pilot, stage, "+", "x", "+")
        assert len(_selected(stage)) == 2
        assert "[-] release-agent" in screen_text(stage)
        await press(pilot, stage, "x")
        assert len(_selected(stage)) == 3
        await press(pilot, stage, "x")
        assert _selected(stage) == []


async def test_clicking_the_checkbox_or_key_bar_selects_a_request():
    """A click elsewhere in a row only moves the cursor."""
    async with open_stage([ONE, TWO]) as (pilot, stage):
        bar = stage.app.screen.query_one(KeyBar)
        line = next(y for y, row in enumerate(screen_text(stage).splitlines()) if "x Select" in row)
        column = screen_text(stage).splitlines()[line].index("x Select")
        stage.clock.move(1)
        await pilot.click(bar, offset=(column - bar.region.x, line - bar.region.y))
        await until(pilot, lambda: _selected(stage) == [ONE.id])
        stage.clock.move(1)
        await pilot.click("#list", offset=(2, 6))
        await until(pilot, lambda: _selected(stage) == [ONE.id, TWO.id])
        assert inbox(stage).state.cursor_id == TWO.id
        stage.clock.move(1)
        await pilot.click("#list", offset=(20, 4))
        await until(pilot, lambda: inbox(stage).state.cursor_id == ONE.id)
        assert _selected(stage) == [ONE.id, TWO.id]


async def test_the_palette_can_select_a_request():
    """The palette finds the command by its description."""
    async with open_stage([ONE]) as (pilot, stage):
        await press(pilot, stage, "colon", *"deselect it", "enter")
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until(pilot, lambda: _selected(stage) == [ONE.id])


async def test_a_custom_key_selects_a_request():
    """The key from the keymap works, and the default key does nothing."""
    async with open_stage([ONE], environment={"keymap": Keymap({"select": "m"})}, size=NARROW) as (
        pilot,
        stage,
    ):
        await press(pilot, stage, "x")
        assert _selected(stage) == []
        await press(pilot, stage, "m")
        assert _selected(stage) == [ONE.id]
        assert "m Select" in screen_text(stage)


async def test_a_selected_request_that_is_answered_is_deselected():
    """The status line says who answered the request."""
    async with open_stage([ONE, TWO]) as (pilot, stage):
        await select(pilot, stage, ONE, TWO)
        stage.clock.move(5)
        stage.feed.tell(EventName.DECIDED, with_decision(ONE, Answer.DENY))
        await until(pilot, lambda: _selected(stage) == [TWO.id])
        await until_shown(
            pilot, stage, f"{ONE.fingerprint} is no longer selected: Denied by alice on phone"
        )


async def test_a_selected_request_that_changes_is_deselected():
    """A changed reference is enough to deselect a request."""
    async with open_stage([ONE, TWO]) as (pilot, stage):
        await select(pilot, stage, ONE, TWO)
        stage.clock.move(5)
        stage.feed.tell(EventName.EXTENDED, a_payment("two", 2_000, "Kolibri AG", 15))
        await until(pilot, lambda: _selected(stage) == [ONE.id])
        await until_shown(pilot, stage, f"{TWO.fingerprint} is no longer selected: it changed.")


async def test_a_selected_request_that_expires_is_deselected():
    """A message says so, and the request cannot be selected again."""
    async with open_stage([ONE, TWO]) as (pilot, stage):
        await select(pilot, stage, ONE, TWO)
        pass_time(stage, 14.5 * 60)
        assert _selected(stage) == [TWO.id]
        pass_time(stage, 5)
        await until_shown(pilot, stage, "is no longer selected: Expired at")
        pass_time(stage, 10)
        await select(pilot, stage, TWO)
        assert _selected(stage) == []


async def test_several_deselected_requests_are_reported_in_one_message():
    """One message says how many requests are no longer selected."""
    async with open_stage([ONE, TWO]) as (pilot, stage):
        await select(pilot, stage, ONE, TWO)
        pass_time(stage, 20 * 60)
        await until_shown(pilot, stage, "2 are no longer selected")
        assert _selected(stage) == []


async def test_an_unlisted_request_is_deselected():
    """If a refresh removes a selected request, a message says that it is not selected any more."""
    async with open_stage([ONE, TWO]) as (pilot, stage):
        await select(pilot, stage, ONE, TWO)
        cancelled = replace(ONE, state=ApprovalState.CANCELLED)
        stage.server.put(cancelled)
        await press(pilot, stage, "r")
        await until(pilot, lambda: _selected(stage) == [TWO.id])
        pass_time(stage, 5)
        assert f"{ONE.fingerprint} is no longer selected: it is no longer waiting." in screen_text(
            stage
        )


async def test_paste_and_fast_typing_select_nothing():
    """The guard ignores keys that arrive right after the window gets the focus."""
    async with open_stage([ONE, TWO]) as (pilot, stage):
        stage.app.post_message(events.AppFocus())
        await pilot.pause()
        for key in "xx x":
            await pilot.press("space" if key == " " else key)
        assert _selected(stage) == []


async def test_the_selection_is_kept_while_the_list_changes():
    """A filter, a refresh, and a different cursor deselect nothing."""
    async with open_stage([ONE, TWO, DEPLOYED]) as (pilot, stage):
        await select(pilot, stage, ONE, TWO)
        await press(pilot, stage, "slash", *"agent:release-agent", "enter")
        assert "invoice-bot" not in screen_text(stage)
        assert "a Approve 2.." in screen_text(stage)
        await press(pilot, stage, "slash", *["backspace"] * 20, "enter", "r")
        await until(pilot, lambda: screen_text(stage).count("[x] invoice-bot") == 2)
        await go_to(pilot, stage, DEPLOYED)
        assert _selected(stage) == [ONE.id, TWO.id]
