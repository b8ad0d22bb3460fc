"""The inbox: order, selection, news, connection, and outcomes."""

import pytest

from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.panel import Panel
from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.look_alikes import Fold
from approver_tui.state.notifications.connection import Phase
from approver_tui.state.notifications.events import EventName
from approver_tui.widgets.approvals import approval_list
from approver_tui.widgets.approvals.approval_list import ApprovalList
from approver_tui.widgets.approvals.rows import AnswerProgress, InboxRow, row_lines
from approver_tui.widgets.lines import length, text_of
from approver_tui.widgets.row_list import ROW_HEIGHT
from approver_tui.widgets.sheet import Sheet
from tests.support.clients.driving import (
    NARROW,
    SIZES,
    inbox,
    open_inbox,
    open_stage,
    pass_time,
    press,
    screen_text,
    tick_screen,
    until,
    until_shown,
)
from tests.support.fakes.fake_account import a_device
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, three_approvals, with_decision
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import DEPLOY, MINUTE, PRICES


def _many():
    """Return five hundred requests that do not look alike."""
    return [
        an_approval(f"{n}", DEPLOY, expires_in=(5 + n) * MINUTE, headline=f"Deploy web {n}")
        for n in range(500)
    ]


def _ids(stage):
    return [row.id for row in inbox(stage).state.inbox.rows]


async def test_the_soonest_expiry_is_at_the_top():
    """The request that expires first is at the top and is selected."""
    async with open_stage(reversed(three_approvals())) as (_pilot, stage):
        assert _ids(stage) == [approval.id for approval in three_approvals()]
        assert inbox(stage).state.cursor_id == three_approvals()[0].id


async def test_a_new_request_is_appended_and_moves_nothing():
    """A new request is last even if it expires first; selection and focus stay."""
    stage = make_stage(three_approvals())
    urgent = an_approval("urgent", DEPLOY, expires_in=MINUTE)
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "j")
        before = inbox(stage).state.cursor_id
        stage.request(urgent)
        await until(pilot, lambda: urgent.id in _ids(stage))
        assert _ids(stage)[-1] == urgent.id
        assert inbox(stage).state.cursor_id == before
        assert isinstance(stage.app.focused, ApprovalList)
        text = screen_text(stage)
        assert "NEW (1)" in text
        assert "new MEDIUM request from release-agent, at the end of the list" in text


def _line(stage, words):
    """Return the index of the list line that has these words."""
    rows = (row[:36] for row in screen_text(stage).splitlines())
    return next(index for index, row in enumerate(rows) if words in row)


@SIZES
async def test_rows_added_above_keep_the_cursor_on_its_line(size):
    """New rows appear above held-back rows, yet the selected row stays on its line."""
    held_back = [
        an_approval(f"held {n}", PRICES, headline=f"Held {n}", held_back=True) for n in range(2)
    ]
    async with open_stage([*three_approvals(), *held_back], size=size) as (pilot, stage):
        await press(pilot, stage, "G")
        await until_shown(pilot, stage, "Held 1")
        before = _line(stage, "Held 1")
        for number in range(4):
            late = an_approval(f"late {number}", DEPLOY, headline=f"Late {number}")
            stage.request(late)
            await until(pilot, lambda late=late: late.id in _ids(stage))
            await until_shown(pilot, stage, f"Late {number}")
            assert inbox(stage).state.cursor_id == held_back[1].id
            assert _line(stage, "Held 1") == before
        await press(pilot, stage, "k", "k")
        await until_shown(pilot, stage, "Late 3")
        await press(pilot, stage, "g")
        await until_shown(pilot, stage, "WAITING FOR YOU")
        await press(pilot, stage, "r")
        await until(pilot, lambda: "NEW (" not in _list_text(stage))


def _list_text(stage):
    """Return the text of the whole list, including what is scrolled away."""
    return "\n".join(map(text_of, stage.app.screen.query_one(ApprovalList)._lines))


async def test_refresh_sorts_the_list():
    """Pressing `r` sorts new rows in, and the selection stays on its request."""
    stage = make_stage(three_approvals())
    urgent = an_approval("urgent", DEPLOY, expires_in=MINUTE)
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "j")
        before = inbox(stage).state.cursor_id
        stage.request(urgent)
        await until(pilot, lambda: urgent.id in _ids(stage))
        await press(pilot, stage, "r")
        await until(pilot, lambda: _ids(stage)[0] == urgent.id)
        assert inbox(stage).state.cursor_id == before
        assert "NEW (" not in screen_text(stage)


async def test_a_new_request_under_an_open_panel_does_not_take_the_focus():
    """The panel keeps the focus while the list behind it grows."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "a")
        focused = stage.app.focused
        stage.request(an_approval("urgent", DEPLOY, expires_in=MINUTE))
        await until(pilot, lambda: len(_ids(stage)) == 4)
        assert isinstance(stage.app.screen, Panel)
        assert stage.app.focused is focused


async def test_keys_and_arrows_move_alike():
    """The letter keys, the arrows, Home, End and the page keys move the selection."""
    stage = make_stage(three_approvals())
    first, second, third = (approval.id for approval in three_approvals())
    async with open_inbox(stage) as pilot:
        for keys, where in (
            ("j", second), ("down", third), ("k", second), ("up", first), ("G", third),
            ("g", first), ("end", third), ("home", first), ("ctrl+d", third), ("pageup", first),
        ):  # fmt: skip
            await press(pilot, stage, keys)
            assert inbox(stage).state.cursor_id == where, keys


async def test_a_narrow_screen_shows_one_pane_and_enter_opens():
    """At 40 columns only the list is visible; Enter opens a request and Esc goes back."""
    async with open_stage(three_approvals(), size=NARROW) as (pilot, stage):
        assert "Agent says" not in screen_text(stage)
        await press(pilot, stage, "enter")
        assert "WAITING FOR YOU" not in screen_text(stage)
        assert "Pay EUR 4,820.00 to Nordwind" in screen_text(stage)
        assert "more below" in screen_text(stage)
        await press(pilot, stage, "escape")
        assert "WAITING FOR YOU" in screen_text(stage)


async def test_the_wide_detail_scrolls_after_enter():
    """After Enter the keys scroll the details, and the selection stays."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "enter", "G")
        assert "Fingerprint" in screen_text(stage)
        assert inbox(stage).state.cursor_id == three_approvals()[0].id


async def test_v_toggles_the_signed_texts():
    """Pressing `v` shows the signed texts with their digests; pressing it again hides them."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "v")
        assert "Action text" in screen_text(stage)
        assert three_approvals()[0].action_digest[:20] in screen_text(stage)
        await press(pilot, stage, "v")
        assert "Why you" in screen_text(stage)


async def test_a_selected_request_is_marked_as_seen():
    """A request is fetched when it is selected, so the server can mark it as seen."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "j")
        await until(pilot, lambda: three_approvals()[1].id in stage.server.fetched)


async def test_an_expired_request_stays_listed():
    """An expired request says that this is not a denial, and it cannot be answered."""
    async with open_stage([an_approval("prices", PRICES, expires_in=MINUTE)]) as (pilot, stage):
        pass_time(stage, 61)
        await pilot.pause()
        assert "Expired at 14:33:07. Not a denial. buyer-helper can ask" in screen_text(stage)
        await press(pilot, stage, "d")
        assert isinstance(stage.app.screen, InboxScreen)
        assert "Deny unavailable: Expired at" in screen_text(stage)


async def test_a_decision_elsewhere_updates_the_row():
    """The row shows who decided on which device; a late event does not reopen it."""
    stage = make_stage(three_approvals())
    winner = with_decision(three_approvals()[0], Answer.APPROVE)
    async with open_inbox(stage) as pilot:
        stage.feed.tell(EventName.DECIDED, winner)
        await until_shown(pilot, stage, "Approved by alice on phone")
        await until_shown(pilot, stage, "alice approved a request from invoice-bot")
        assert inbox(stage).state.inbox.find(winner.id).state is ApprovalState.APPROVED
        stage.feed.tell(EventName.REQUESTED, three_approvals()[0])
        await pilot.pause()
        assert inbox(stage).state.inbox.find(winner.id).state is ApprovalState.APPROVED


async def test_only_requests_and_reminders_alert(monkeypatch):
    """Muted requests, low-risk requests and expiries do not ring the terminal bell."""
    stage = make_stage(three_approvals())
    high, _medium, low = three_approvals()
    async with open_inbox(stage) as pilot:
        alerts = []
        monkeypatch.setattr(stage.app.context.notifier, "write", alerts.append)
        stage.feed.tell(EventName.REQUESTED, high, held="muted")
        stage.feed.tell(EventName.REQUESTED, low)
        stage.feed.tell(EventName.EXPIRED, high)
        await pilot.pause()
        assert alerts == []
        stage.feed.tell(EventName.REQUESTED, high)
        stage.feed.tell(EventName.REMINDER, high)
        await until(pilot, lambda: alerts == ["\a"] * 2)


async def test_a_deputy_change_reloads_the_list():
    """When a deputy is added, the list is loaded again and a message says so."""
    async with open_stage(three_approvals()) as (pilot, stage):
        four = an_approval("four", DEPLOY, expires_in=MINUTE)
        stage.server.put(four)
        stage.feed.tell(EventName.DEPUTY_NAMED)
        await until(pilot, lambda: inbox(stage).state.inbox.find(four.id) is not None)
        await until_shown(pilot, stage, "a deputy was added")


async def test_offline_disables_answers_and_shows_the_age():
    """While offline, the app says why it cannot answer and how old its data is."""
    async with open_stage(three_approvals()) as (pilot, stage):
        stage.feed.connect(Phase.OFFLINE, "the server is restarting")
        stage.clock.move(125)
        await until_shown(pilot, stage, "OFFLINE data 14:32")
        tick_screen(stage)
        await pilot.pause()
        text = screen_text(stage)
        assert "OFFLINE (the server is restarting): data is 2 min old, you can't answer now" in text
        await press(pilot, stage, "a")
        assert "Approve unavailable: no connection to the server" in screen_text(stage)
        stage.feed.connect(Phase.CONNECTING)
        await until_shown(pilot, stage, "CONNECTING data 14:32")
        stage.feed.connect(Phase.LIVE)
        await until_shown(pilot, stage, "LIVE 14:34")


async def test_what_happened_offline_is_shown_after_reconnecting():
    """New requests are appended, and requests that were decided offline show their outcome."""
    stage = make_stage(three_approvals())
    late, denied = (
        an_approval("late", DEPLOY, expires_in=9 * MINUTE),
        with_decision(three_approvals()[1], Answer.DENY),
    )
    async with open_inbox(stage) as pilot:
        stage.feed.connect(Phase.OFFLINE)
        stage.server.put(late, denied)
        stage.feed.connect(Phase.CONNECTING)
        stage.feed.connect(Phase.LIVE)
        await until(pilot, lambda: late.id in _ids(stage))
        await until(
            pilot,
            lambda: inbox(stage).state.inbox.find(denied.id).state is ApprovalState.DENIED,
        )
        assert _ids(stage) == [*(approval.id for approval in three_approvals()), late.id]


async def test_a_server_that_is_down_at_the_start_is_retried():
    """The badge says OFFLINE until the server answers, and then the app starts."""
    stage = make_stage(three_approvals())
    stage.server.is_down = True
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await until_shown(pilot, stage, "OFFLINE")
        stage.server.is_down = False
        await until_shown(pilot, stage, "LIVE")


async def test_device_events_are_shown():
    """A message reports a new device; if this device is locked, answering stops immediately."""
    async with open_stage(three_approvals()) as (pilot, stage):
        stage.feed.tell(
            EventName.DEVICE_ENROLLED, device=a_device(id="sayso_dv_x", name="desk", is_this=False)
        )
        await until_shown(pilot, stage, "device desk was added to your account")
        stage.feed.tell(EventName.DEVICE_LOCKED, device=a_device(tries=10))
        await until_shown(pilot, stage, "this device is locked")
        await press(pilot, stage, "a")
        assert "Approve unavailable: this device is locked" in screen_text(stage)
        stage.feed.tell(EventName.CODE_REUSED)
        await until_shown(pilot, stage, "ALARM: a one-time code was used")


@SIZES
async def test_warnings_stay_on_the_screen(size):
    """Warnings about wrong PINs and a readable server folder each have a line at both sizes."""
    async with open_stage(
        three_approvals(), device=a_device(tries=3), is_server_folder_readable=True, size=size
    ) as (pilot, stage):
        await until_shown(pilot, stage, "3 wrong PINs since you last approved")
        await until(
            pilot, lambda: "can read the server's data" in " ".join(screen_text(stage).split())
        )


async def test_lock_makes_the_next_approval_need_the_pin():
    """Pressing `L` locks the app, so the next approval needs the PIN."""
    async with open_stage(three_approvals()) as (pilot, stage):
        assert "unlocked" in screen_text(stage)
        await press(pilot, stage, "L")
        assert "unlocked" not in screen_text(stage)
        assert not stage.answers.is_unlocked


async def test_a_long_list_makes_only_the_visible_rows(monkeypatch):
    """Moving the selection in a list of five hundred requests does not build all rows."""
    many = _many()
    stage = make_stage(many)
    built = []
    build_row = approval_list.row_lines
    monkeypatch.setattr(
        approval_list, "row_lines", lambda row, width: built.append(row) or build_row(row, width)
    )
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "G")
        assert inbox(stage).state.cursor_id == many[-1].id
        built.clear()
        await press(pilot, stage, "k")
        assert inbox(stage).state.cursor_id == many[-2].id
        assert 0 < len(built) < 250


@pytest.mark.usefixtures("every_frame")
async def test_only_rows_that_changed_are_drawn(monkeypatch):
    """Moving the selection draws two rows, and a tick without a change draws none."""
    stage = make_stage(_many())
    drawn = []
    render_row = Sheet.render_line
    monkeypatch.setattr(
        Sheet, "render_line", lambda sheet, y: drawn.append((sheet.id, y)) or render_row(sheet, y)
    )
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "j", "j", "j")
        await pilot.pause()
        drawn.clear()
        await pilot.press("k")
        await pilot.pause()
        assert len({y for where, y in drawn if where == "list"}) == 2 * ROW_HEIGHT
        drawn.clear()
        inbox(stage).tick()
        await pilot.pause()
        assert not drawn
        stage.clock.move(20)
        inbox(stage).tick()
        await pilot.pause()
        assert {where for where, _ in drawn} == {"list", "detail"}


async def test_q_quits():
    """The app quits immediately if no answer is in progress."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "q")
        await pilot.pause()
        assert not stage.app.is_running


async def test_held_back_requests_have_their_own_section():
    """The last section counts held-back requests by agent, and its rows can be selected."""
    held_back = [
        an_approval(f"flood {n}", DEPLOY, held_back=True, headline=f"Deploy web {n}")
        for n in range(3)
    ]
    async with open_stage([*three_approvals(), *held_back]) as (pilot, stage):
        text = screen_text(stage)
        assert "WAITING FOR YOU (3)" in text
        assert "HELD BACK (3)  release-agent: 3" in text
        await press(pilot, stage, "G")
        assert inbox(stage).state.cursor_id == held_back[-1].id


async def test_a_message_stays_for_three_seconds_before_news():
    """The result of an action stays readable before news replaces it."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "L")
        stage.request(an_approval("late", DEPLOY))
        await until_shown(pilot, stage, "NEW (1)")
        await until_shown(pilot, stage, "Locked. The next approval requires your PIN.")
        pass_time(stage, 3)
        await until_shown(pilot, stage, "at the end of the list")


async def test_a_message_stays_while_an_editor_has_the_terminal():
    """News replaces it only after the user has seen it."""
    message = "Locked. The next approval requires your PIN."
    async with open_stage(three_approvals()) as (pilot, stage):
        stage.app.app_suspend_signal.publish(stage.app)
        await press(pilot, stage, "L")
        stage.request(an_approval("late", DEPLOY))
        await until_shown(pilot, stage, "NEW (1)")
        pass_time(stage, 60)
        inbox(stage).tick()
        await until_shown(pilot, stage, message)
        stage.app.app_resume_signal.publish(stage.app)
        inbox(stage).tick()
        await until_shown(pilot, stage, message)
        pass_time(stage, 3)
        await until_shown(pilot, stage, "at the end of the list")


async def test_a_refresh_ends():
    """The loading message disappears when the server has answered."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "r")
        await until(pilot, lambda: "Loading" not in screen_text(stage))
        await press(pilot, stage, "5", "r")
        await until(
            pilot,
            lambda: "DEVICES (1)" in screen_text(stage) and "Loading" not in screen_text(stage),
        )


@pytest.mark.parametrize("size", [(100, 30), (80, 24), (40, 24)])
async def test_the_amount_of_a_row_is_never_cut(size):
    """Requests that differ only in their amount look different at every size."""
    amounts = ("EUR 1,204,820.00", "EUR 1,204,920.00")
    rows = [
        an_approval(name, headline=f"Transfer to Nordwind Logistik GmbH: {amount}")
        for name, amount in zip(("one", "two"), amounts, strict=True)
    ]
    async with open_stage(rows, size=size) as (_pilot, stage):
        for amount in amounts:
            assert amount in screen_text(stage)


def test_the_state_moves_to_the_second_line_if_the_amount_needs_the_space():
    """Neither the amount nor the state of the answer is cut."""
    approval = an_approval("one", headline="Pay EUR 1,204,820.00 to Nordwind")
    row = InboxRow(Fold(approval), NOW, in_progress=AnswerProgress.CHECKING)
    first, second = row_lines(row, 34)
    assert "EUR 1,204,820.00" in text_of(first)
    assert text_of(second).endswith("checking")
    assert max(length(first), length(second)) <= 34


async def test_ctrl_c_names_the_key_that_quits_and_covers_no_keys():
    """The hint appears in the inbox and on other pages, but not in a panel."""
    async with open_stage(three_approvals()) as (pilot, stage):
        for key in ("ctrl+c", "5", "ctrl+c"):
            await press(pilot, stage, key)
        assert "Press q to quit." in screen_text(stage)
        assert not stage.app._notifications
        await press(pilot, stage, "1", "d", "ctrl+c")
        assert not stage.app._notifications
