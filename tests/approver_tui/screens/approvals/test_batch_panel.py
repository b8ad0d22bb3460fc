"""Answering several requests: only requests that were read, selected and counted are answered."""

from dataclasses import replace

import pytest
from textual.widgets import Input, Static

from approver_tui.client import errors
from approver_tui.screens.approvals.batch import BatchApprovePanel, BatchDenyPanel
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.approvals.results import ResultsPanel
from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.approvals.decision import Answer, DenialExtras, DenyCode
from approver_tui.state.notifications.connection import Phase
from approver_tui.state.notifications.events import EventName
from approver_tui.widgets.approvals.batch_table import BatchTable
from approver_tui.widgets.panel_button import PanelButton
from tests.support.builders.batches import (
    NEW,
    ONE,
    THREE,
    TWO,
    a_payment,
    open_batch,
    scroll_to_end,
    select,
    send,
    to_the_field,
    type_in,
)
from tests.support.clients.driving import (
    NARROW,
    blur_window,
    click,
    inbox,
    open_inbox,
    open_stage,
    pass_time,
    paste,
    press,
    screen_text,
    type_quickly,
    until,
    until_shown,
)
from tests.support.fakes.fake_account import a_device
from tests.support.fakes.fake_answers import PIN
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, with_decision
from tests.support.fakes.fake_requests import DEPLOY, MINUTE

ALL = [ONE, TWO, THREE, NEW]
RUNNING = [*"yes", "space", "a", "space", "y", "enter", *"4", "tab", *"3", "tab", "enter"]
SMALL = pytest.mark.parametrize("size", [(100, 30), (80, 24), (40, 24), (40, 12)], ids=str)


async def _open(pilot, stage, *selected, key="a"):
    await select(pilot, stage, *selected)
    return await open_batch(pilot, stage, key)


def _why(stage):
    return str(stage.app.screen.query_one("#hint", Static).content)


def _chosen_ids(panel):
    return [approval.id for approval in panel.requests.selected]


async def _press_the_button(pilot, stage):
    await to_the_field(pilot, stage, stage.app.screen.BUTTON)
    await press(pilot, stage, "enter")


async def _until_answered(pilot, stage, count):
    await until(pilot, lambda: len(stage.answers.calls) == count)


@SMALL
async def test_all_selected_requests_are_approved_after_reading_and_counting(size):
    """Each selected request gets its own answer; an unlocked app needs no PIN."""
    async with open_stage(ALL, size=size) as (pilot, stage):
        await _open(pilot, stage, ONE, TWO, THREE)
        await scroll_to_end(pilot, stage)
        await type_in(pilot, stage, "count", "3")
        await send(pilot, stage)
        await _until_answered(pilot, stage, 3)
        await until_shown(pilot, stage, "3 approved.")
        assert inbox(stage).state.selection == ()
    approvals = [(request.id, Answer.APPROVE, None) for request in (ONE, TWO, THREE)]
    assert stage.answers.calls == approvals


async def test_the_table_shows_each_request_and_the_sums():
    """The table lists each request's facts, states shared facts once, and totals the amounts."""
    async with open_stage(ALL) as (pilot, stage):
        await _open(pilot, stage, ONE, TWO)
        text = screen_text(stage)
        for request in (ONE, TWO):
            assert f"[x] {request.fingerprint}  medium  invoice-bot" in text
            assert request.headline in text
        assert "Amount       EUR 48.20" in text
        assert "To           Kolibri AG" in text
        assert text.count("Not possible after 15:00 today.") <= 1
        assert "Selected: 2 of 2.  Amount: EUR 68.19 in all." in text


async def test_an_unusual_request_must_be_selected_individually():
    """An unusual request is listed below with its reason; the count must match the selection."""
    async with open_stage(ALL) as (pilot, stage):
        panel = await _open(pilot, stage, NEW, ONE, TWO)
        assert _chosen_ids(panel) == [ONE.id, TWO.id]
        await scroll_to_end(pilot, stage)
        await type_in(pilot, stage, "count", "3")
        assert _why(stage) == "Approve unavailable: type how many are selected."
        await press(pilot, stage, "shift+tab", "g")
        assert "UNUSUAL (1)  Space selects one" in screen_text(stage)
        assert "First time: “To”." in screen_text(stage)
        await press(pilot, stage, "space")
        assert _chosen_ids(panel) == [NEW.id, ONE.id, TWO.id]
        await press(pilot, stage, "g")
        assert "UNUSUAL (1)" in screen_text(stage)
        assert "Space selects one" not in screen_text(stage)
        await press(pilot, stage, "j", "space")
        assert _chosen_ids(panel) == [NEW.id, TWO.id]
        assert "Selected: 2 of 3.  Amount: EUR 9,019.99 in all." in screen_text(stage)


async def test_with_nothing_selected_there_is_nothing_to_approve():
    """If every request is unusual, none is selected at first."""
    async with open_stage(ALL) as (pilot, stage):
        await _open(pilot, stage, NEW)
        assert _why(stage) == "Approve unavailable: nothing is selected; press Space on a request."


async def test_lines_count_as_seen_while_nothing_is_selected():
    """All requests are unusual and fill two screens; the user reads them, then selects one."""
    unusual = [
        a_payment(f"new {n}", 100, "Bo", 5 + n, unusual=[("new_target", "First.")])
        for n in range(6)
    ]
    async with open_stage(unusual, size=NARROW) as (pilot, stage):
        panel = await _open(pilot, stage, *unusual)
        for _ in range(12):
            await press(pilot, stage, "pagedown")
        assert "nothing is selected" in _why(stage)
        await press(pilot, stage, "space")
        assert len(_chosen_ids(panel)) == 1
        assert _why(stage) == "Approve unavailable: type how many are selected."


def _low(name, unusual=()):
    return a_payment(name, 100, "Bo", 14, risk="low", unusual=list(unusual))


async def _keys_of_a_batch(pilot, stage, count, unusual):
    """Select all, select the unusual requests, and approve; return the number of keys pressed."""
    keys = ["X", "a", *["space"] * unusual]
    await press(pilot, stage, keys[0])
    await open_batch(pilot, stage)
    await press(pilot, stage, *keys[2:])
    panel = stage.app.screen
    while panel.query_one(BatchTable).unread:
        keys += ["pagedown"]
        await press(pilot, stage, "pagedown")
    rest = ["tab", *(str(count) if count > 2 else ""), *(["tab"] if count > 2 else []), "enter"]
    await press(pilot, stage, *rest)
    await until(pilot, lambda: isinstance(stage.app.screen, ResultsPanel))
    return len(keys + rest)


@pytest.mark.parametrize(
    ("count", "unusual"), [(2, 0), (2, 1), (4, 0), (4, 1), (4, 4), (10, 0), (10, 1), (10, 10)]
)
async def test_a_batch_takes_fewer_keys_than_one_by_one(count, unusual):
    """A batch needs fewer than the three keys that approve a single request."""
    why = [("new_target", "First time: “To”.")]
    rows = [_low(f"row {n}", why if n < unusual else ()) for n in range(count)]
    async with open_stage(rows) as (pilot, stage):
        key_count = await _keys_of_a_batch(pilot, stage, count, unusual)
        await _until_answered(pilot, stage, count)
    assert key_count < 3 * count


async def test_three_keys_approve_one_low_request():
    """If its facts fit on the screen, one low-risk request takes three keys."""
    async with open_stage([_low("alone")]) as (pilot, stage):
        await press(pilot, stage, "a", "tab", "enter")
        await _until_answered(pilot, stage, 1)


async def test_the_mouse_selects_by_the_checkbox_only():
    """A click on the checkbox deselects a request; a click elsewhere does not."""
    async with open_stage(ALL) as (pilot, stage):
        panel = await _open(pilot, stage, ONE, TWO)
        table = panel.query_one(BatchTable)
        await pilot.click(table, offset=(20, 1))
        await pilot.pause()
        assert _chosen_ids(panel) == [ONE.id, TWO.id]
        await pilot.click(table, offset=(2, 4))
        await until(pilot, lambda: _chosen_ids(panel) == [ONE.id])


async def test_fast_typing_with_a_selection_and_new_requests_decides_nothing():
    """Typing on quickly while the panel opens and requests arrive sends no answer."""
    async with open_stage(ALL) as (pilot, stage):
        await select(pilot, stage, ONE, TWO, THREE)
        for number in range(5):
            await type_quickly(pilot, stage, RUNNING * 2)
            late = an_approval(f"late {number}", DEPLOY, expires_in=MINUTE * (20 + number))
            stage.request(late)
        stage.clock.move(0.7)
        await pilot.press("enter")
        pass_time(stage, 10)
        await pilot.pause()
        assert not isinstance(stage.app.screen, ResultsPanel)
    assert stage.answers.calls == []


async def test_keys_in_the_first_moments_of_the_panel_do_nothing():
    """Each early key restarts the delay, and the focus stays on the requests."""
    async with open_stage(ALL) as (pilot, stage):
        await select(pilot, stage, ONE, TWO)
        await pilot.press("a")
        await type_quickly(pilot, stage, ["tab", "tab", "2", "tab", "enter"] * 5, interval=0.5)
        assert isinstance(stage.app.screen, BatchApprovePanel)
        assert isinstance(stage.app.focused, BatchTable)
    assert stage.answers.calls == []


@pytest.mark.parametrize("key", ["enter", "space", "y", "2", "a", "n"])
async def test_no_single_key_approves_even_slowly(key):
    """No single key approves a batch, even if you wait before you press it."""
    async with open_stage(ALL) as (pilot, stage):
        await _open(pilot, stage, ONE, TWO)
        await press(pilot, stage, key)
        assert not isinstance(stage.app.screen, ResultsPanel)
    assert stage.answers.calls == []


async def test_enter_in_the_count_sends_nothing():
    """Enter in the count field sends nothing, because only the button approves."""
    async with open_stage(ALL) as (pilot, stage):
        await _open(pilot, stage, ONE, TWO, THREE)
        await scroll_to_end(pilot, stage)
        await type_in(pilot, stage, "count", ["3", "enter", "enter"])
        assert _why(stage) == "Tab to Approve, then Enter."
    assert stage.answers.calls == []


async def test_paste_fills_neither_count_nor_pin():
    """The count and the PIN must be typed; pasting into their fields has no effect."""
    stage = make_stage(ALL)
    stage.answers.is_unlocked = False
    async with open_inbox(stage) as pilot:
        panel = await _open(pilot, stage, ONE, TWO, THREE)
        for name in ("count", "pin"):
            await to_the_field(pilot, stage, name)
            stage.clock.move(5)
            await paste(pilot, stage, "2\n")
            stage.app.copy_to_clipboard("2")
            await press(pilot, stage, "ctrl+v")
            assert panel.query_one(f"#{name}", Input).value == ""


async def test_approve_is_unavailable_until_every_line_was_visible():
    """Jumping to the end skips lines, so Approve stays unavailable."""
    many = [a_payment(f"many {n}", 100 + n, f"Payee {n}", 5 + n) for n in range(12)]
    async with open_stage(many, size=NARROW) as (pilot, stage):
        await _open(pilot, stage, *many)
        await type_in(pilot, stage, "count", "12")
        assert "scroll down first" in _why(stage)
        await press(pilot, stage, "shift+tab", "G")
        await press(pilot, stage, "pagedown", "pagedown")
        assert _why(stage) == "Approve unavailable: scroll up first (PgUp)."
        await press(pilot, stage, "g")
        await scroll_to_end(pilot, stage)
        assert _why(stage) == "Tab to Approve, then Enter."


async def test_a_request_that_changes_under_the_panel_is_removed_with_a_message():
    """After the removal, Enter is ignored at first and the count must be typed again."""
    async with open_stage(ALL) as (pilot, stage):
        panel = await _open(pilot, stage, ONE, TWO, THREE)
        await scroll_to_end(pilot, stage)
        await type_in(pilot, stage, "count", "3")
        await to_the_field(pilot, stage, "do")
        stage.feed.tell(EventName.EXTENDED, a_payment("two", 2_000, "Kolibri AG", 15))
        await until(pilot, lambda: _chosen_ids(panel) == [ONE.id, THREE.id])
        await until_shown(pilot, stage, f"{TWO.fingerprint} was removed: it changed.")
        assert stage.app.focused.id == "do"
        await pilot.press("enter")
        assert isinstance(stage.app.screen, BatchApprovePanel)
        assert _why(stage) == "Approve unavailable: type how many are selected."
        await type_in(pilot, stage, "count", "2")
        await _press_the_button(pilot, stage)
        await _until_answered(pilot, stage, 2)
    assert [answer[0] for answer in stage.answers.calls] == [ONE.id, THREE.id]


async def test_a_request_that_is_decided_or_ends_under_the_panel_is_removed():
    """The panel says who decided the request or why it ended."""
    async with open_stage(ALL) as (pilot, stage):
        panel = await _open(pilot, stage, ONE, TWO, THREE)
        stage.feed.tell(EventName.DECIDED, with_decision(TWO, Answer.DENY))
        cancelled = replace(THREE, state=ApprovalState.CANCELLED, reason="withdrawn")
        stage.feed.tell(EventName.CANCELLED, cancelled)
        await until(pilot, lambda: _chosen_ids(panel) == [ONE.id])
        await until_shown(pilot, stage, f"{TWO.fingerprint} was removed: Denied by alice on phone")
        await until_shown(pilot, stage, "Withdrawn: ")


async def test_an_empty_panel_closes_with_the_reason():
    """If its last request is decided elsewhere, the panel closes and says who decided it."""
    async with open_stage(ALL) as (pilot, stage):
        await _open(pilot, stage, ONE)
        stage.feed.tell(EventName.DECIDED, with_decision(ONE, Answer.DENY))
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until_shown(pilot, stage, f"{ONE.fingerprint} was removed: Denied by alice on phone")
    assert stage.answers.calls == []


async def test_a_new_request_never_joins_the_panel():
    """A request that arrives later appears in the inbox but not in the open panel."""
    async with open_stage([ONE, TWO]) as (pilot, stage):
        panel = await _open(pilot, stage, ONE, TWO)
        stage.request(THREE)
        await until(pilot, lambda: inbox(stage).state.inbox.find(THREE.id) is not None)
        assert [row.id for row in panel.requests.rows] == [ONE.id, TWO.id]


async def test_the_pin_is_typed_once_and_sent_only_where_needed():
    """The PIN is sent only with the one request of three that requires it."""
    pin = a_payment("pin", 700, "Bo", 18, ceremony="pin")
    async with open_stage([*ALL, pin]) as (pilot, stage):
        await _open(pilot, stage, ONE, TWO, pin)
        await scroll_to_end(pilot, stage)
        await type_in(pilot, stage, "count", "3")
        assert _why(stage) == "Approve unavailable: type your PIN."
        await type_in(pilot, stage, "pin", PIN)
        assert PIN not in screen_text(stage)
        await _press_the_button(pilot, stage)
        await _until_answered(pilot, stage, 3)
    assert [answer[2] for answer in stage.answers.calls] == [None, None, PIN]


async def test_the_pin_of_the_batch_unlocks_a_locked_app():
    """The PIN unlocks the app even if no request of the batch needs it."""
    stage = make_stage(ALL)
    stage.answers.is_unlocked = False
    async with open_inbox(stage) as pilot:
        await _open(pilot, stage, ONE, TWO)
        await scroll_to_end(pilot, stage)
        await type_in(pilot, stage, "pin", PIN)
        await _press_the_button(pilot, stage)
        await _until_answered(pilot, stage, 2)
    assert stage.answers.is_unlocked


async def test_a_wrong_pin_costs_one_attempt_and_sends_nothing():
    """After a wrong PIN the panel stays, the PIN field is empty, and the count is kept."""
    stage = make_stage(ALL)
    stage.answers.is_unlocked = False
    async with open_inbox(stage) as pilot:
        panel = await _open(pilot, stage, ONE, TWO, THREE)
        await scroll_to_end(pilot, stage)
        await type_in(pilot, stage, "count", "3")
        await type_in(pilot, stage, "pin", "111111")
        await _press_the_button(pilot, stage)
        await until_shown(pilot, stage, "9 attempts left. Nothing was approved.")
        assert panel.query_one("#pin", Input).value == ""
        assert panel.query_one("#count", Input).value == "3"
    assert stage.answers.calls == []
    assert stage.server.device.pin.tries == 1


async def test_a_device_that_locks_at_the_pin_closes_the_panel():
    """If the device locks when the PIN is checked, no answer is sent."""
    stage = make_stage(ALL)
    stage.answers.is_unlocked = False

    def raise_locked(_pin):
        raise errors.DeviceLocked("device_locked", 423, "locked")

    stage.answers.unlock = raise_locked
    async with open_inbox(stage) as pilot:
        await _open(pilot, stage, ONE)
        await scroll_to_end(pilot, stage)
        await type_in(pilot, stage, "pin", PIN)
        await _press_the_button(pilot, stage)
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until_shown(pilot, stage, "This device is locked")
    assert stage.answers.calls == []


async def test_a_locked_device_and_a_lost_connection_disable_the_button():
    """The hint says whether the device or the connection is the reason."""
    async with open_stage(ALL, device=a_device(tries=10)) as (pilot, stage):
        await _open(pilot, stage, ONE)
        assert "this device is locked" in _why(stage)
        stage.feed.connect(Phase.OFFLINE)
        await until(pilot, lambda: "no connection to the server" in _why(stage))


async def test_the_click_that_focuses_the_window_approves_no_batch():
    """The first click only focuses the window; the second presses the button."""
    async with open_stage(ALL) as (pilot, stage):
        panel = await _open(pilot, stage, ONE, TWO)
        await scroll_to_end(pilot, stage)
        await blur_window(pilot, stage)
        stage.clock.move(5)
        await click(pilot, stage, panel.query_one("#do", PanelButton))
        assert stage.answers.calls == []
        stage.clock.move(1)
        await click(pilot, stage, panel.query_one("#do", PanelButton))
        await _until_answered(pilot, stage, 2)


async def test_escape_goes_back_and_keeps_the_selection():
    """Esc returns to the inbox, sends nothing, and keeps the selection."""
    async with open_stage(ALL) as (pilot, stage):
        await _open(pilot, stage, ONE, TWO)
        await press(pilot, stage, "escape")
        assert isinstance(stage.app.screen, InboxScreen)
        assert len(inbox(stage).state.selection) == 2
    assert stage.answers.calls == []


async def test_help_explains_the_panel():
    """Both the approve and the deny panel for a batch have a help screen."""
    for key, words in (
        ("a", "for three or more requests: type how many are selected"),
        ("d", "nothing is denied"),
    ):
        async with open_stage(ALL) as (pilot, stage):
            await _open(pilot, stage, ONE, key=key)
            await press(pilot, stage, "f1")
            assert words in screen_text(stage)
            assert "select or deselect it, then go" in screen_text(stage)


@SMALL
async def test_one_reason_and_note_deny_all_after_five_seconds(size):
    """Unusual requests are denied too; until the time is over, u undoes all denials."""
    async with open_stage(ALL, size=size) as (pilot, stage):
        panel = await _open(pilot, stage, ONE, NEW, key="d")
        assert isinstance(panel, BatchDenyPanel)
        assert _why(stage) == "Deny unavailable: choose a reason, 1 to 6."
        await press(pilot, stage, "2")
        await type_in(pilot, stage, "note", "no")
        await send(pilot, stage)
        await until_shown(pilot, stage, "u undoes all of it")
        assert stage.answers.calls == []
        pass_time(stage, 5)
        await _until_answered(pilot, stage, 2)
        await until_shown(pilot, stage, "2 denied.")
    code = DenyCode.WRONG_DETAILS.value
    assert stage.answers.calls == [(request.id, Answer.DENY, code) for request in (NEW, ONE)]


@SMALL
async def test_denials_that_were_not_saved_are_reported_while_they_wait(size):
    """The warning is in the panel that is open, with the number of denials."""
    async with open_stage(ALL, size=size) as (pilot, stage):
        stage.unsent_denials.failure = OSError("No space left on device")
        await _open(pilot, stage, ONE, NEW, key="d")
        await press(pilot, stage, "2")
        await send(pilot, stage)
        await until_shown(pilot, stage, "u undoes all of it")
        text = " ".join(screen_text(stage).replace("│", " ").split())
        assert "2 denials could not be saved and would be lost in a crash" in text


async def test_one_retry_time_applies_to_all():
    """All requests of the batch are denied with the same time to retry."""
    async with open_stage(ALL) as (pilot, stage):
        await _open(pilot, stage, ONE, TWO, key="d")
        await press(pilot, stage, "4", "tab", "1")
        await send(pilot, stage)
        pass_time(stage, 5)
        await _until_answered(pilot, stage, 2)
    first, second = stage.answers.denial_extras
    assert first == second != DenialExtras()


async def test_u_undoes_all_denials():
    """After u, no denial is sent and the requests are selected again."""
    async with open_stage(ALL) as (pilot, stage):
        await _open(pilot, stage, ONE, TWO, key="d")
        await press(pilot, stage, "1")
        await send(pilot, stage)
        await press(pilot, stage, "u")
        assert isinstance(stage.app.screen, InboxScreen)
        assert "Undone: nothing was denied." in screen_text(stage)
        pass_time(stage, 10)
        await pilot.pause()
        assert len(inbox(stage).state.selection) == 2
    assert stage.answers.calls == []
