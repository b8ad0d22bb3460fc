"""Opening a request on a phone or in a browser."""

import pytest

from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.approvals.open_elsewhere import OpenElsewherePanel
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.notifications.events import EventName
from approver_tui.widgets.qr_code import QrCode, qr_rows
from tests.support.clients.driving import (
    inbox,
    open_inbox,
    pass_time,
    press,
    screen_text,
    until,
    until_shown,
)
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, with_decision
from tests.support.fakes.fake_requests import MINUTE

ISSUER = "https://sayso.example"


def _stage(issuer=ISSUER):
    return make_stage([an_approval("pay")], environment={"issuer": issuer})


async def test_the_qr_code_links_to_the_page_of_the_request():
    """The QR code and the printed link open the request's page and answer nothing."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "o")
        page = f"{ISSUER}/r/{an_approval('pay').id}"
        assert page in screen_text(stage)
        code = stage.app.screen.query_one(QrCode)
        assert code._rows == qr_rows(page)
        assert "reverse" in code.render().spans[0].style  # dark on light in a dark terminal
        assert "a phone cannot open it" not in screen_text(stage)
        await press(pilot, stage, "enter", "a", "escape")
        assert stage.app.screen is inbox(stage)
    assert stage.answers.calls == []


@pytest.mark.parametrize("host", ["localhost:8470", "127.0.0.1", "[::1]:8470"])
async def test_a_loopback_address_says_that_a_phone_cannot_open_it(host):
    """A loopback address would lead a phone to itself, so there is no QR code."""
    stage = _stage(f"http://{host}")
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "o")
        assert "a phone cannot open it" in screen_text(stage)
        assert not stage.app.screen.query(QrCode)


async def test_an_answer_on_the_page_closes_the_panel():
    """The panel closes, and a message says who answered on which device."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "o")
        assert isinstance(stage.app.screen, OpenElsewherePanel)
        stage.feed.tell(EventName.DECIDED, with_decision(an_approval("pay"), Answer.APPROVE))
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until_shown(pilot, stage, "Approved by alice on phone")


async def test_an_ended_request_has_no_page_to_open():
    """For an expired request, the key says why there is no page to open."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        pass_time(stage, 6 * MINUTE / 1000)
        await press(pilot, stage, "o")
        assert "Open on a phone unavailable: Expired at" in screen_text(stage)
