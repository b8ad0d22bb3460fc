"""Going on at a phone: the page of a request, and nothing else of anybody's choosing."""

import pytest

from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.approvals.open_elsewhere import OpenElsewherePanel
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.notifications.events import EventName
from approver_tui.widgets.qr_code import QrCode, qr_rows
from tests.support.clients.driving import inbox, look, opened, press, shown, until
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval, answered
from tests.support.fakes.fake_requests import MINUTE

ISSUER = "https://sayso.example"


def _stage(issuer=ISSUER):
    return a_stage([an_approval("pay")], place={"issuer": issuer})


async def test_the_picture_leads_to_the_page_of_the_request_at_the_server_of_this_login():
    """As words and as a picture; nothing is answered by looking at it."""
    stage = _stage()
    async with opened(stage) as pilot:
        await press(pilot, stage, "o")
        page = f"{ISSUER}/r/{an_approval('pay').id}"
        assert page in shown(stage)
        assert stage.app.screen.query_one(QrCode)._rows == qr_rows(page)
        assert "a phone cannot open it" not in shown(stage)
        await press(pilot, stage, "enter", "a", "escape")
        assert stage.app.screen is inbox(stage)
    assert stage.answers.given == []


@pytest.mark.parametrize("host", ["localhost:8470", "127.0.0.1", "[::1]:8470"])
async def test_a_page_of_this_machine_is_said_to_be_of_no_use_to_a_phone(host):
    """It would lead the phone to itself."""
    stage = _stage(f"http://{host}")
    async with opened(stage) as pilot:
        await press(pilot, stage, "o")
        assert "a phone cannot open it" in shown(stage)


async def test_it_closes_by_itself_with_the_answer_that_was_given_there():
    """Who gave it, and where."""
    stage = _stage()
    async with opened(stage) as pilot:
        await press(pilot, stage, "o")
        assert isinstance(stage.app.screen, OpenElsewherePanel)
        stage.feed.tell(EventName.DECIDED, answered(an_approval("pay"), Answer.APPROVE))
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until(pilot, lambda: "Approved by alice on phone" in shown(stage))


async def test_what_is_over_has_no_page_to_go_on_at():
    """The reason is said."""
    stage = _stage()
    async with opened(stage) as pilot:
        stage.clock.move(6 * MINUTE / 1000)
        look(stage)
        await press(pilot, stage, "o")
        assert "Phone unavailable: Expired at" in shown(stage)
