"""Several at once: nothing is sent but what was read, ticked and counted."""

from dataclasses import replace

import pytest
from textual.widgets import Input, Static

from approver_tui.client import errors
from approver_tui.screens.approvals.batch_approve import BatchApprovePanel
from approver_tui.screens.approvals.batch_deny import BatchDenyPanel
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
    mark,
    open_batch,
    read_on,
    send,
    to_the_field,
    type_in,
)
from tests.support.clients.driving import (
    NARROW,
    blur,
    click,
    inbox,
    look,
    opened,
    paste,
    press,
    run_on,
    shown,
    until,
)
from tests.support.fakes.fake_account import a_device
from tests.support.fakes.fake_answers import PIN
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval, answered
from tests.support.fakes.fake_requests import DEPLOY, MINUTE

ALL = [ONE, TWO, THREE, NEW]
RUNNING = [*"yes", "space", "a", "space", "y", "enter", *"4", "tab", *"3", "tab", "enter"]
SMALL = pytest.mark.parametrize("size", [(100, 30), (80, 24), (40, 24), (40, 12)], ids=str)


async def _open(pilot, stage, *marked, key="a"):
    await mark(pilot, stage, *marked)
    return await open_batch(pilot, stage, key)


def _why(stage):
    return str(stage.app.screen.query_one("#why-off", Static).content)


def _ticked(panel):
    return [each.id for each in panel.requests.chosen]


async def _press_the_button(pilot, stage):
    await to_the_field(pilot, stage, "do")
    await press(pilot, stage, "enter")


async def _until_answered(pilot, stage, count):
    await until(pilot, lambda: len(stage.answers.given) == count)


@SMALL
async def test_all_that_is_ticked_is_approved_once_it_was_read_and_counted(size):
    """Each by an answer of its own; the PIN is not due in an unlocked app."""
    stage = a_stage(ALL)
    async with opened(stage, size) as pilot:
        await _open(pilot, stage, ONE, TWO, THREE)
        await read_on(pilot, stage)
        await type_in(pilot, stage, "count", "3")
        await send(pilot, stage)
        await _until_answered(pilot, stage, 3)
        await until(pilot, lambda: "3 approved." in shown(stage))
        assert inbox(stage).state.marks == ()
    yes = [(each.id, Answer.APPROVE, None) for each in (ONE, TWO, THREE)]
    assert stage.answers.given == yes


async def test_the_table_says_which_what_how_much_and_who_and_the_sums():
    """Fingerprint, what would happen, the facts that count, who asks; what all share once."""
    stage = a_stage(ALL)
    async with opened(stage) as pilot:
        await _open(pilot, stage, ONE, TWO)
        text = shown(stage)
        for each in (ONE, TWO):
            assert f"[x] {each.fingerprint}  medium  invoice-bot" in text
            assert each.headline in text
        assert "Amount       EUR 48.20" in text
        assert "To           Kolibri AG" in text
        assert text.count("Not possible after 15:00 today.") <= 1
        assert "Selected: 2 of 2.  Amount: EUR 68.19 in all." in text


async def test_what_is_unusual_stays_unticked_until_it_is_ticked_by_hand():
    """It stands below, says why, and the count that was right is not right any more."""
    stage = a_stage(ALL)
    async with opened(stage) as pilot:
        panel = await _open(pilot, stage, NEW, ONE, TWO)
        assert _ticked(panel) == [ONE.id, TWO.id]
        await read_on(pilot, stage)
        await type_in(pilot, stage, "count", "3")
        assert _why(stage) == "Approve unavailable: type how many are selected."
        assert "You never approved this before: “To”." in shown(stage)
        await to_the_field(pilot, stage, "back")
        await press(pilot, stage, "tab", "G", "space")
        assert _ticked(panel) == [ONE.id, TWO.id, NEW.id]
        await press(pilot, stage, "g", "space")
        assert _ticked(panel) == [TWO.id, NEW.id]
        assert "Selected: 2 of 3.  Amount: EUR 9,019.99 in all." in shown(stage)


async def test_nothing_ticked_is_nothing_to_approve():
    """A batch of what is unusual alone begins there."""
    stage = a_stage(ALL)
    async with opened(stage) as pilot:
        await _open(pilot, stage, NEW)
        await type_in(pilot, stage, "count", "0")
        assert _why(stage) == "Approve unavailable: nothing is selected; press Space on a request."


async def test_the_mouse_ticks_by_the_box_alone():
    """Elsewhere in a block it only points at it."""
    stage = a_stage(ALL)
    async with opened(stage) as pilot:
        panel = await _open(pilot, stage, ONE, TWO)
        table = panel.query_one(BatchTable)
        await pilot.click(table, offset=(20, 1))
        await pilot.pause()
        assert _ticked(panel) == [ONE.id, TWO.id]
        await pilot.click(table, offset=(2, 4))
        await until(pilot, lambda: _ticked(panel) == [ONE.id])


async def test_running_typing_while_marks_exist_and_requests_arrive_decides_nothing():
    """Twenty keys a second with the panel opening under the fingers."""
    stage = a_stage(ALL)
    async with opened(stage) as pilot:
        await mark(pilot, stage, ONE, TWO, THREE)
        for number in range(5):
            await run_on(pilot, stage, RUNNING * 2)
            late = an_approval(f"late {number}", DEPLOY, left=MINUTE * (20 + number))
            stage.request(late)
        stage.clock.move(0.7)
        await pilot.press("enter")
        stage.clock.move(10)
        look(stage)
        await pilot.pause()
        assert not isinstance(stage.app.screen, ResultsPanel)
    assert stage.answers.given == []


async def test_keys_in_the_first_moments_of_the_panel_do_nothing():
    """Each prolongs the watch; the focus stays on Back."""
    stage = a_stage(ALL)
    async with opened(stage) as pilot:
        await mark(pilot, stage, ONE, TWO)
        await pilot.press("a")
        await run_on(pilot, stage, ["tab", "tab", "2", "tab", "enter"] * 5, each=0.5)
        assert isinstance(stage.app.screen, BatchApprovePanel)
        assert stage.app.focused.id == "back"
    assert stage.answers.given == []


@pytest.mark.parametrize("key", ["enter", "space", "y", "2", "a", "n"])
async def test_no_single_key_approves_even_slowly(key):
    """With quiet before it."""
    stage = a_stage(ALL)
    async with opened(stage) as pilot:
        await _open(pilot, stage, ONE, TWO)
        await press(pilot, stage, key)
        assert not isinstance(stage.app.screen, ResultsPanel)
    assert stage.answers.given == []


async def test_enter_in_the_count_sends_nothing():
    """Only the button does."""
    stage = a_stage(ALL)
    async with opened(stage) as pilot:
        await _open(pilot, stage, ONE, TWO)
        await read_on(pilot, stage)
        await type_in(pilot, stage, "count", ["2", "enter", "enter"])
        assert _why(stage) == "Tab to Approve, then Enter."
    assert stage.answers.given == []


async def test_paste_fills_neither_count_nor_pin():
    """A clipboard counts nothing."""
    stage = a_stage(ALL)
    stage.answers.is_unlocked = False
    async with opened(stage) as pilot:
        panel = await _open(pilot, stage, ONE, TWO)
        for name in ("count", "pin"):
            await to_the_field(pilot, stage, name)
            stage.clock.move(5)
            await paste(pilot, stage, "2\n")
            stage.app.copy_to_clipboard("2")
            await press(pilot, stage, "ctrl+v")
            assert panel.query_one(f"#{name}", Input).value == ""


async def test_approve_is_off_until_every_line_was_on_screen():
    """A jump to the end does not read what it jumps over."""
    many = [a_payment(f"many {n}", 100 + n, f"Payee {n}", 5 + n) for n in range(12)]
    stage = a_stage(many)
    async with opened(stage, NARROW) as pilot:
        await _open(pilot, stage, *many)
        await type_in(pilot, stage, "count", "12")
        assert "scroll down first" in _why(stage)
        await to_the_field(pilot, stage, "back")
        await press(pilot, stage, "tab", "G")
        assert "scroll down first" in _why(stage)
        await press(pilot, stage, "g")
        await read_on(pilot, stage)
        assert _why(stage) == "Tab to Approve, then Enter."


async def test_a_request_that_changes_under_the_panel_is_dropped_and_that_is_said():
    """The count has to be typed again, and keys rest for a moment."""
    stage = a_stage(ALL)
    async with opened(stage) as pilot:
        panel = await _open(pilot, stage, ONE, TWO, THREE)
        await read_on(pilot, stage)
        await type_in(pilot, stage, "count", "3")
        await to_the_field(pilot, stage, "do")
        stage.feed.tell(EventName.EXTENDED, a_payment("two", 2_000, "Kolibri AG", 15))
        await until(pilot, lambda: _ticked(panel) == [ONE.id, THREE.id])
        await until(pilot, lambda: f"{TWO.fingerprint} was removed: it changed." in shown(stage))
        await until(pilot, lambda: stage.app.focused.id == "back")
        await pilot.press("enter")
        assert isinstance(stage.app.screen, BatchApprovePanel)
        assert _why(stage) == "Approve unavailable: type how many are selected."
        await type_in(pilot, stage, "count", "2")
        await _press_the_button(pilot, stage)
        await _until_answered(pilot, stage, 2)
    assert [each[0] for each in stage.answers.given] == [ONE.id, THREE.id]


async def test_a_request_that_is_answered_or_over_under_the_panel_is_dropped():
    """With whose answer it was."""
    stage = a_stage(ALL)
    async with opened(stage) as pilot:
        panel = await _open(pilot, stage, ONE, TWO, THREE)
        stage.feed.tell(EventName.DECIDED, answered(TWO, Answer.DENY))
        gone = replace(THREE, state=ApprovalState.CANCELLED, reason="withdrawn")
        stage.feed.tell(EventName.CANCELLED, gone)
        await until(pilot, lambda: _ticked(panel) == [ONE.id])
        await until(
            pilot,
            lambda: f"{TWO.fingerprint} was removed: Denied by alice on phone" in shown(stage),
        )
        await until(pilot, lambda: "Withdrawn: " in shown(stage))


async def test_a_panel_of_which_nothing_is_left_closes_and_says_why():
    """The marks are gone too."""
    stage = a_stage(ALL)
    async with opened(stage) as pilot:
        await _open(pilot, stage, ONE)
        stage.feed.tell(EventName.DECIDED, answered(ONE, Answer.DENY))
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until(
            pilot,
            lambda: f"{ONE.fingerprint} was removed: Denied by alice on phone" in shown(stage),
        )
    assert stage.answers.given == []


async def test_what_arrives_never_joins_the_panel():
    """It is below the divider of the list, not marked."""
    stage = a_stage([ONE, TWO])
    async with opened(stage) as pilot:
        panel = await _open(pilot, stage, ONE, TWO)
        stage.request(THREE)
        await until(pilot, lambda: inbox(stage).state.inbox.find(THREE.id) is not None)
        assert [each.id for each in panel.requests.rows] == [ONE.id, TWO.id]


async def test_the_pin_is_typed_once_and_goes_only_with_what_takes_it():
    """One of three takes it for itself; it is tried before anything is sent."""
    pin = a_payment("pin", 700, "Bo", 18, ceremony="pin")
    stage = a_stage([*ALL, pin])
    async with opened(stage) as pilot:
        await _open(pilot, stage, ONE, TWO, pin)
        await read_on(pilot, stage)
        await type_in(pilot, stage, "count", "3")
        assert _why(stage) == "Approve unavailable: type your PIN."
        await type_in(pilot, stage, "pin", PIN)
        assert PIN not in shown(stage)
        await _press_the_button(pilot, stage)
        await _until_answered(pilot, stage, 3)
    assert [each[2] for each in stage.answers.given] == [None, None, PIN]


async def test_a_locked_app_is_unlocked_by_the_pin_of_the_batch():
    """Also where none takes it for itself."""
    stage = a_stage(ALL)
    stage.answers.is_unlocked = False
    async with opened(stage) as pilot:
        await _open(pilot, stage, ONE, TWO)
        await read_on(pilot, stage)
        await type_in(pilot, stage, "count", "2")
        await type_in(pilot, stage, "pin", PIN)
        await _press_the_button(pilot, stage)
        await _until_answered(pilot, stage, 2)
    assert stage.answers.is_unlocked


async def test_a_wrong_pin_costs_one_try_and_sends_nothing():
    """The panel stays, the field is empty, the count stands."""
    stage = a_stage(ALL)
    stage.answers.is_unlocked = False
    async with opened(stage) as pilot:
        panel = await _open(pilot, stage, ONE, TWO, THREE)
        await read_on(pilot, stage)
        await type_in(pilot, stage, "count", "3")
        await type_in(pilot, stage, "pin", "111111")
        await _press_the_button(pilot, stage)
        await until(pilot, lambda: "9 attempts left. Nothing was approved." in shown(stage))
        assert panel.query_one("#pin", Input).value == ""
        assert panel.query_one("#count", Input).value == "3"
    assert stage.answers.given == []
    assert stage.server.device.pin.tries == 1


async def test_a_device_that_locks_at_the_pin_closes_the_panel():
    """Another device unlocks it; nothing was sent."""
    stage = a_stage(ALL)
    stage.answers.is_unlocked = False

    def locked(_pin):
        raise errors.DeviceLocked("device_locked", 423, "locked")

    stage.answers.unlock = locked
    async with opened(stage) as pilot:
        await _open(pilot, stage, ONE)
        await read_on(pilot, stage)
        await type_in(pilot, stage, "count", "1")
        await type_in(pilot, stage, "pin", PIN)
        await _press_the_button(pilot, stage)
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until(pilot, lambda: "This device is locked" in shown(stage))
    assert stage.answers.given == []


async def test_a_locked_device_and_no_connection_switch_it_off():
    """The line says which."""
    stage = a_stage(ALL, device=a_device(tries=10))
    async with opened(stage) as pilot:
        await _open(pilot, stage, ONE)
        assert "this device is locked" in _why(stage)
        stage.feed.connect(Phase.OFFLINE)
        await until(pilot, lambda: "no connection to the server" in _why(stage))


async def test_the_click_that_brings_the_window_back_presses_nothing():
    """The second one does."""
    stage = a_stage(ALL)
    async with opened(stage) as pilot:
        panel = await _open(pilot, stage, ONE, TWO)
        await read_on(pilot, stage)
        await type_in(pilot, stage, "count", "2")
        await blur(pilot, stage)
        stage.clock.move(5)
        await click(pilot, stage, panel.query_one("#do", PanelButton))
        assert stage.answers.given == []
        stage.clock.move(1)
        await click(pilot, stage, panel.query_one("#do", PanelButton))
        await _until_answered(pilot, stage, 2)


async def test_escape_goes_back_and_the_marks_stay():
    """Nothing was sent."""
    stage = a_stage(ALL)
    async with opened(stage) as pilot:
        await _open(pilot, stage, ONE, TWO)
        await press(pilot, stage, "escape")
        assert isinstance(stage.app.screen, InboxScreen)
        assert len(inbox(stage).state.marks) == 2
    assert stage.answers.given == []


async def test_help_says_what_the_panel_takes():
    """Of both panels."""
    for key, words in (
        ("a", "nothing is approved, the selection stays"),
        ("d", "nothing is denied"),
    ):
        stage = a_stage(ALL)
        async with opened(stage) as pilot:
            await _open(pilot, stage, ONE, key=key)
            await press(pilot, stage, "f1")
            assert words in shown(stage)
            assert "type how many are selected to enable" in shown(stage)


@SMALL
async def test_one_reason_and_note_deny_all_after_five_seconds(size):
    """Reason, note and count; u would take all of it back until then."""
    stage = a_stage(ALL)
    async with opened(stage, size) as pilot:
        panel = await _open(pilot, stage, ONE, TWO, key="d")
        assert isinstance(panel, BatchDenyPanel)
        assert _why(stage) == "Deny unavailable: pick a reason, 1 to 6."
        await press(pilot, stage, "tab", "2")
        await type_in(pilot, stage, "note", "no")
        assert _why(stage) == "Deny unavailable: type how many are selected."
        await type_in(pilot, stage, "count", "2")
        await send(pilot, stage)
        await until(pilot, lambda: "u undoes all of it" in shown(stage))
        assert stage.answers.given == []
        stage.clock.move(5)
        look(stage)
        await _until_answered(pilot, stage, 2)
        await until(pilot, lambda: "2 denied." in shown(stage))
    code = DenyCode.WRONG_DETAILS.value
    assert stage.answers.given == [(each.id, Answer.DENY, code) for each in (ONE, TWO)]


async def test_until_when_is_said_once_for_all():
    """Beside the reason that has a time."""
    stage = a_stage(ALL)
    async with opened(stage) as pilot:
        await _open(pilot, stage, ONE, TWO, key="d")
        await press(pilot, stage, "tab", "4", "tab", "1")
        await type_in(pilot, stage, "count", "2")
        await send(pilot, stage)
        stage.clock.move(5)
        look(stage)
        await _until_answered(pilot, stage, 2)
    first, second = stage.answers.asides
    assert first == second != DenialExtras()


async def test_u_takes_all_denials_back():
    """Nothing leaves, and the marks are as they were."""
    stage = a_stage(ALL)
    async with opened(stage) as pilot:
        await _open(pilot, stage, ONE, TWO, key="d")
        await press(pilot, stage, "tab", "1")
        await type_in(pilot, stage, "count", "2")
        await send(pilot, stage)
        await press(pilot, stage, "u")
        assert isinstance(stage.app.screen, InboxScreen)
        assert "Undone: nothing was denied." in shown(stage)
        stage.clock.move(10)
        look(stage)
        await pilot.pause()
        assert len(inbox(stage).state.marks) == 2
    assert stage.answers.given == []
