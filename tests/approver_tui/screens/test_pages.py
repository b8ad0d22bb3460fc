"""The pages: history, agents, rights, and devices."""

from dataclasses import replace

import pytest

from approver_tui.screens.approvals.history import HistoryPage
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.clients.agents import AgentsPage
from approver_tui.screens.confirm import ConfirmPanel
from approver_tui.screens.consents.rights import RightsPage
from approver_tui.screens.devices.devices import DevicesPage
from approver_tui.state.approvals.decision import Answer, DenyCode
from approver_tui.state.notifications.connection import Phase
from approver_tui.state.notifications.events import EventName
from approver_tui.state.text import SafeText
from approver_tui.widgets.entry_list import EntryList
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.panel_button import PanelButton
from approver_tui.widgets.top_bar import TopBar
from tests.support.clients.driving import (
    NARROW,
    click,
    inbox,
    open_inbox,
    open_stage,
    press,
    screen_text,
    type_quickly,
    until,
    until_shown,
    wait_for_page,
)
from tests.support.fakes.fake_account import a_consent, a_device, a_token
from tests.support.fakes.fake_answers import PIN
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, three_approvals, with_decision
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_grants import a_grant
from tests.support.fakes.fake_requests import DEPLOY, MINUTE, PRICES

PAGES = pytest.mark.parametrize(
    ("key", "page"), [("2", HistoryPage), ("3", AgentsPage), ("4", RightsPage), ("5", DevicesPage)]
)
PHONE = "sayso_dv_phone"


def _filled():
    """Return a stage with open and past requests, consents, a grant, a token and four devices."""
    stage = make_stage(three_approvals())
    stage.server.put(
        with_decision(an_approval("old"), Answer.APPROVE),
        with_decision(an_approval("web", DEPLOY), Answer.DENY, DenyCode.WRONG_DETAILS),
        an_approval("lapsed", PRICES, expires_in=-60 * MINUTE),
    )
    stage.server.given = [a_consent(), a_consent("buyer-helper")]
    stage.server.tokens = [a_token()]
    stage.grants_client.given = [a_grant(NOW)]
    other = replace(a_device(), id=PHONE, name=SafeText("phone"), is_this=False)
    stage.server.others = [
        replace(other, high_from=NOW + 60 * MINUTE),
        replace(other, id="sayso_dv_desk", name=SafeText("desk"), pin=a_device(tries=10).pin),
        replace(other, id="sayso_dv_old", name=SafeText("old"), is_active=False),
    ]
    return stage


async def _go(pilot, stage, key):
    await press(pilot, stage, key)
    await wait_for_page(pilot, stage)


async def _do(pilot, stage, *pin):
    """Type the PIN, if one is given, and press the button in the confirmation panel."""
    keys = ["tab", *pin, "tab", "enter"] if pin else ["tab", "enter"]
    await press(pilot, stage, *keys)
    await until(pilot, lambda: not isinstance(stage.app.screen, ConfirmPanel))


@PAGES
@pytest.mark.parametrize("size", [NARROW, (100, 30)])
async def test_a_digit_opens_a_page_and_escape_goes_back(key, page, size):
    """Digits switch between pages, and Esc on a page returns to the inbox."""
    stage = _filled()
    async with open_inbox(stage, size) as pilot:
        await _go(pilot, stage, "2" if key != "2" else "3")
        await _go(pilot, stage, key)
        assert isinstance(stage.app.screen, page)
        await press(pilot, stage, "enter", "escape")
        assert isinstance(stage.app.screen, page)
        await press(pilot, stage, "escape")
        assert isinstance(stage.app.screen, InboxScreen)
        await _go(pilot, stage, key)
        await press(pilot, stage, "1")
        assert isinstance(stage.app.screen, InboxScreen)


@PAGES
async def test_vim_keys_and_arrows_move_alike(key, page):
    """Letters, arrows, Home, End and page keys move the cursor the same way."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, key)
        assert isinstance(stage.app.screen, page)
        ids = list(stage.app.screen.query_one(EntryList)._first_lines)
        for down, up, last, first in (("j", "k", "G", "g"), ("down", "up", "end", "home")):
            await press(pilot, stage, down)
            assert stage.app.screen.cursor == ids[1]
            await press(pilot, stage, up)
            assert stage.app.screen.cursor == ids[0]
            await press(pilot, stage, last)
            assert stage.app.screen.cursor == ids[-1]
            await press(pilot, stage, first)
            assert stage.app.screen.cursor == ids[0]
        await press(pilot, stage, "ctrl+d", "pageup")
        assert stage.app.screen.cursor == ids[0]


async def test_clicks_open_pages_and_move_the_cursor():
    """A click on a page's name opens the page; a second click on an entry shows its details."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        bar = stage.app.screen.query_one(TopBar)
        await pilot.click(bar, offset=(14, 0))
        await until(pilot, lambda: isinstance(stage.app.screen, HistoryPage))
        await wait_for_page(pilot, stage)
        stage.clock.move(1)
        await pilot.click("#entries", offset=(5, 5))
        assert stage.app.screen.cursor == an_approval("web", DEPLOY).id
        await pilot.click("#entries", offset=(5, 5))
        assert stage.app.screen.has_class("-reading")


@PAGES
async def test_an_unreachable_server_is_reported_and_asked_again(key, page):
    """The message says that the server did not answer and that `r` retries."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        stage.server.is_down = True
        await press(pilot, stage, key)
        await until_shown(pilot, stage, "did not respond. Press r")
        stage.server.is_down = False
        await press(pilot, stage, "r")
        await wait_for_page(pilot, stage)
        assert isinstance(stage.app.screen, page)


@PAGES
async def test_new_requests_are_announced_on_every_page(key, page):
    """The count and the news are updated, while the page and its cursor stay."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, key)
        before = stage.app.screen.cursor
        stage.request(an_approval("late", DEPLOY, expires_in=9 * MINUTE))
        await until_shown(pilot, stage, "new MEDIUM request from release-agent")
        await until_shown(pilot, stage, "1 Inbox 4")
        assert isinstance(stage.app.screen, page)
        assert stage.app.screen.cursor == before


async def test_a_page_reloads_when_the_connection_comes_back():
    """Data on a page may have changed while offline, so it is loaded again."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "4")
        stage.feed.connect(Phase.OFFLINE, "gone")
        await until_shown(pilot, stage, "OFFLINE")
        await press(pilot, stage, "z")
        assert "Revoke unavailable: no connection to the server" in screen_text(stage)
        stage.server.tokens = []
        stage.feed.connect(Phase.LIVE)
        await until_shown(pilot, stage, "TOKENS (0)")


async def test_all_access_of_an_agent_is_revoked_together():
    """One confirmed action ends the agent's grants, consents, and tokens."""
    stage = _filled()
    stage.grants_client.given = [a_grant(NOW, agent_id=a_consent().client_id)]
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "3")
        await press(pilot, stage, "j", "z")
        assert "This ends its access now: 1 standing grant" in screen_text(stage)
        assert "It can still act for others" in screen_text(stage)
        await _do(pilot, stage)
        await until_shown(pilot, stage, "invoice-bot no longer acts for you")
        await until_shown(pilot, stage, "ACTING FOR YOU (1)")
    assert stage.server.ended == [a_consent().id, a_token().id, a_consent().client_id]


async def test_a_consent_and_a_token_are_revoked_one_by_one():
    """Revoking a consent or ending a token needs its own confirmation."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "4")
        await press(pilot, stage, "z")
        assert "Revoke the consent?" in screen_text(stage)
        await _do(pilot, stage)
        await until_shown(pilot, stage, "Revoked: invoice-bot. 2 tokens also ended.")
        await until_shown(pilot, stage, "CONSENTS (1)")
        await press(pilot, stage, "G", "z")
        assert "Revoke the token?" in screen_text(stage)
        await _do(pilot, stage)
        await until_shown(pilot, stage, "Revoked: invoice-bot. 1 token ended.")
        await until_shown(pilot, stage, "TOKENS (0)")


async def test_a_device_is_revoked_but_not_this_one():
    """For this device, the message names the command that signs it out instead."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "5")
        await press(pilot, stage, "z")
        assert "To sign it out: sayso-approver logout." in screen_text(stage)
        await press(pilot, stage, "j", "z")
        await _do(pilot, stage)
        await until_shown(pilot, stage, "phone is revoked.")
        await until_shown(pilot, stage, "REVOKED (2)")
    assert stage.server.ended == [PHONE]


@pytest.mark.parametrize(
    ("moves", "key", "verb", "says"),
    [
        (["j"], "V", "vouch", "phone can now approve high risk."),
        (["j", "j"], "U", "unlock", "desk is unlocked."),
    ],
)
async def test_vouching_and_unlocking_need_the_pin(moves, key, verb, says):
    """A wrong PIN shows the attempts left and does nothing; the right PIN acts."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "5")
        await press(pilot, stage, *moves, key)
        await press(pilot, stage, "tab", *"000000", "tab", "enter")
        await until_shown(pilot, stage, "Wrong PIN. 9 attempts left.")
        assert stage.answers.about_devices == []
        stage.app.screen.query_one("#pin").focus()
        await press(pilot, stage, *PIN, "tab", "enter")
        await until(pilot, lambda: says in screen_text(stage))
    assert [action for _device, action in stage.answers.about_devices] == [verb]


@pytest.mark.parametrize(
    ("moves", "key", "why"),
    [
        ([], "V", "Vouch unavailable: use another device for that."),
        ([], "U", "Unlock unavailable: use another device for that."),
        (["j"], "U", "Unlock unavailable: it is not locked."),
        (["j", "j"], "V", "Vouch unavailable: it can already approve high risk."),
        (["G"], "z", "Revoke unavailable: it is already revoked."),
    ],
)
async def test_an_unavailable_key_says_why(moves, key, why):
    """A key that is unavailable for the selected device shows the reason and opens nothing."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "5")
        await press(pilot, stage, *moves, key)
        assert why in screen_text(stage)
        assert isinstance(stage.app.screen, DevicesPage)


async def test_a_failed_action_can_be_tried_again():
    """If the server cannot be reached, the panel stays open and says that nothing was sent."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "4")
        await press(pilot, stage, "z")
        stage.server.is_down = True
        await press(pilot, stage, "tab", "enter")
        await until_shown(pilot, stage, "Not sent: the server cannot be reached.")
        await press(pilot, stage, "escape")
        assert isinstance(stage.app.screen, RightsPage)
    assert stage.server.ended == []


@pytest.mark.parametrize(("page", "key"), [("3", "z"), ("4", "z"), ("5", "V")])
async def test_fast_typing_ends_nothing(page, key):
    """Twenty keys a second in a page and its panel revoke nothing and vouch for nothing."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        await type_quickly(
            pilot, stage, [page, "j", key, "tab", *PIN, "tab", "enter", "space", "y"] * 2
        )
        await pilot.pause()
        if isinstance(stage.app.screen, ConfirmPanel):
            stage.app.screen.query_one("#do", PanelButton).press()
        await pilot.pause()
    assert (stage.server.ended, stage.answers.about_devices) == ([], [])


@pytest.mark.parametrize("key", ["2", "3", "4", "5"])
async def test_an_empty_list_says_so_and_its_keys_do_nothing(key):
    """Moving, revoking, and opening on an empty list cause no error."""
    async with open_stage() as (pilot, stage):
        await _go(pilot, stage, key)
        await press(pilot, stage, "j", "G", "z", "enter", "question_mark")
        assert "KEYS IN" in screen_text(stage)
        await press(pilot, stage, "escape")
        assert stage.app.is_running


async def test_quitting_from_a_page_sends_the_waiting_denial_first():
    """Quitting within the five seconds does not lose the denial."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "d", "2")
        await pilot.press("enter")
        await press(pilot, stage, "3", "q")
        await until(pilot, lambda: not stage.app.is_running)
    assert [answer for _id, answer, _how in stage.answers.calls] == [Answer.DENY]


async def test_a_denial_is_counted_down_and_sent_while_a_page_is_open():
    """The inbox below the page keeps counting and sends the denial."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "d", "2", "enter")
        await _go(pilot, stage, "3")
        stage.clock.move(6)
        inbox(stage).tick()
        await until(pilot, lambda: bool(stage.answers.calls))
        await until_shown(pilot, stage, "Denied by alice")
        assert isinstance(stage.app.screen, AgentsPage)


async def test_the_click_that_focuses_the_window_presses_no_button():
    """A click that the guard drops does not confirm a revocation."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "4")
        await press(pilot, stage, "z")
        stage.app.context.guard.arm()
        await click(pilot, stage, stage.app.screen.query_one("#do"))
        assert stage.server.ended == []


async def test_every_shown_key_can_be_clicked():
    """A click on a key in the key bar has the same effect as the key."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        await pilot.click(KeyBar, offset=(15, 0))
        await until_shown(pilot, stage, "Deny?")
        stage.clock.move(1)
        await press(pilot, stage, "escape")
        await _go(pilot, stage, "4")
        await pilot.click(KeyBar, offset=(3, 0))
        await until(pilot, lambda: isinstance(stage.app.screen, ConfirmPanel))


async def test_the_devices_page_follows_the_feed():
    """A device that was enrolled elsewhere appears without a refresh."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "5")
        await until_shown(pilot, stage, "DEVICES (1)")
        phone = replace(a_device(), id="sayso_dv_phone", name=SafeText("phone"), is_this=False)
        stage.server.others = [phone]
        stage.feed.tell(EventName.DEVICE_ENROLLED, device=phone)
        await until_shown(pilot, stage, "DEVICES (2)")
