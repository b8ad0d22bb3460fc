"""Labels of buttons, headlines and keys."""

from dataclasses import replace

import pytest

from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.narrowing import Difference, Granted, narrowed_headline
from approver_tui.state.money import amount
from approver_tui.state.text import SafeText
from approver_tui.widgets.panel_button import PanelButton
from tests.support.clients.driving import (
    disconnect,
    inbox,
    open_inbox,
    open_stage,
    press,
    screen_text,
    tick_screen,
    until,
    until_shown,
    wait_for_page,
)
from tests.support.fakes.fake_account import a_device, a_token
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, three_approvals, with_decision
from tests.support.fakes.fake_requests import DEPLOY, MINUTE, PRICES

EUR = {"minor": 482_000, "currency": "EUR"}
MONEY = [{"type": "payment.transfer", "amount": EUR}]
PAY = an_approval("pay", risk="medium", details=MONEY)
NARROWED = Granted(
    "{}",
    (Difference(SafeText("Amount"), SafeText("EUR 4,820.00"), SafeText("EUR 500.00")),),
    headline=SafeText("Pay EUR 500.00 to Nordwind"),
)


def _label(stage, name):
    return str(stage.app.screen.query_one(name, PanelButton).label)


async def test_the_button_repeats_the_amount():
    """The approve button shows the amount that approving would spend."""
    async with open_stage([PAY]) as (pilot, stage):
        await press(pilot, stage, "a")
        assert _label(stage, "#approve") == "[ Approve EUR 4,820.00 ]"


async def test_a_long_amount_is_not_on_the_button():
    """If the amount is too long, the button says only "Approve"."""
    details = [{"type": "payment.transfer", "amount": {"minor": 123_456_789_00, "currency": "EUR"}}]
    facts = [("Amount", "EUR 123,456,789.00", True)]
    async with open_stage([an_approval("pay", risk="medium", details=details, facts=facts)]) as (
        pilot,
        stage,
    ):
        await press(pilot, stage, "a")
        assert _label(stage, "#approve") == "[ Approve ]"


def test_the_button_has_the_narrowed_amount():
    """There is no amount for an action without money or if it must be typed back."""
    assert amount(PAY) == "EUR 4,820.00"
    assert amount(replace(PAY, granted=NARROWED)) == "EUR 500.00"
    assert amount(an_approval("web", DEPLOY)) == ""
    typed = {"label": "Amount", "kind": "money"}
    assert (
        amount(an_approval("pay", ceremony="pin+type_back", details=MONEY, type_back=typed)) == ""
    )


@pytest.mark.parametrize(
    ("granted", "expected_headline"),
    [
        (None, "Pay EUR 4,820.00 to Nordwind"),
        (NARROWED, "Pay EUR 500.00 to Nordwind"),
        (Granted("{}", ()), "With limits: Pay EUR 4,820.00 to Nordwind"),
    ],
)
def test_a_headline_shows_what_is_granted(granted, expected_headline):
    """If the granted part has no headline, the original one says that there are limits."""
    assert narrowed_headline(SafeText("Pay EUR 4,820.00 to Nordwind"), granted) == expected_headline


async def test_keys_that_do_nothing_are_not_shown():
    """The key bar hides unavailable keys, but pressing one still says why."""
    async with open_stage([PAY], size=(140, 30)) as (pilot, stage):
        assert "Limits.." in screen_text(stage)
        await disconnect(pilot, stage, "The server does not respond.")
        tick_screen(stage)
        await pilot.pause()
        for hint in ("Limits..", "Report..", "Similar..", "Phone.."):
            assert hint not in screen_text(stage)
        await press(pilot, stage, "e")
        assert "Approve with limits unavailable: no connection to the server" in screen_text(stage)


@pytest.mark.parametrize(
    ("risk", "longest", "refused"),
    [("low", "30 days", None), ("medium", "8 hours", "1 day"), ("high", "1 hour", "8 hours")],
)
async def test_the_grant_panel_offers_what_the_risk_allows(risk, longest, refused):
    """The higher the risk, the shorter the longest duration that the panel offers."""
    async with open_stage([an_approval("web", DEPLOY, risk=risk, expires_in=9 * MINUTE)]) as (
        pilot,
        stage,
    ):
        await press(pilot, stage, "s")
        assert longest in screen_text(stage)
        assert refused is None or refused not in screen_text(stage)


async def test_id_and_link_are_copied():
    """Pressing `y` copies the ID, and `Y` the link to the request on the server."""
    async with open_stage([PAY], environment={"issuer": "https://sayso.example"}) as (pilot, stage):
        await press(pilot, stage, "y")
        assert stage.app.clipboard == PAY.id
        await press(pilot, stage, "Y")
        assert stage.app.clipboard == f"https://sayso.example/r/{PAY.id}"
        assert "Copied, if this terminal supports it" in screen_text(stage)


async def test_t_shows_the_history_of_the_agent():
    """Pressing `t` opens the history, filtered by the selected request's agent."""
    stage = make_stage([an_approval("web", DEPLOY)])
    stage.server.put(
        with_decision(an_approval("old", DEPLOY), Answer.APPROVE),
        with_decision(an_approval("prices", PRICES), Answer.APPROVE),
    )
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "t")
        await until_shown(pilot, stage, "HISTORY (1)")


async def test_a_device_is_renamed():
    """The typed name is sent to the server and confirmed in a message."""
    async with open_stage([PAY]) as (pilot, stage):
        await press(pilot, stage, "5")
        await wait_for_page(pilot, stage)
        await press(pilot, stage, "n", "tab", "ctrl+u", *"desk", "tab", "enter")
        await until_shown(pilot, stage, "Renamed to desk.")
    assert stage.server.device.name == "desk"


async def test_a_browser_gets_a_test_notification():
    """A test notification can be sent to a browser but not to a terminal."""
    phone = replace(a_device(), id="sayso_dv_p", name=SafeText("phone"), kind=SafeText("browser"))
    stage = make_stage([PAY])
    stage.server.others = [replace(phone, is_this=False)]
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "5")
        await wait_for_page(pilot, stage)
        await press(pilot, stage, "T")
        assert "Test unavailable: only a browser gets push messages." in screen_text(stage)
        await press(pilot, stage, "j", "T", "tab", "enter")
        await until_shown(pilot, stage, "Sent. phone shows it")


async def test_the_token_of_a_past_approval_is_ended_from_the_history():
    """A token can be revoked there; a request without one says so."""
    used = replace(with_decision(an_approval("old"), Answer.APPROVE), state=ApprovalState.REDEEMED)
    stage = make_stage([])
    stage.server.put(used)
    token = replace(a_token(), approval_id=SafeText(used.id))
    stage.server.tokens = [token]
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "2")
        await wait_for_page(pilot, stage)
        await press(pilot, stage, "z", "tab", "enter")
        await until_shown(pilot, stage, "Revoked: 1 token.")
        assert stage.server.ended == [token.id]
        stage.server.put(with_decision(an_approval("old"), Answer.DENY))
        await press(pilot, stage, "r")
        await press(pilot, stage, "z")
        assert "Revoke token unavailable: no token was issued for this request." in screen_text(
            stage
        )


async def test_the_other_requests_of_an_agent_can_be_denied_too():
    """With the checkbox, every waiting request from the agent is denied separately."""
    rows = [an_approval(name, DEPLOY, expires_in=3 * MINUTE) for name in ("one", "two")]
    async with open_stage([*rows, *three_approvals()]) as (pilot, stage):
        await press(pilot, stage, "d")
        screen = stage.app.screen
        checkbox = screen.query_one("#all")
        screen.set_focus(None)
        checkbox.focus()
        await press(pilot, stage, "space")
        assert checkbox.is_on
        screen.query_one("DenyCodes").focus()
        await press(pilot, stage, "1", "enter")
        agent_id = screen.approval.agent.id
        stage.clock.move(6)
        await until(pilot, lambda: _are_all_denied(stage, pilot))
    denied = [
        approval_id for approval_id, answer, _ in stage.answers.calls if answer is Answer.DENY
    ]
    expected = [row.id for row in (*rows, *three_approvals()) if row.agent.id == agent_id]
    assert sorted(denied) == sorted(expected)


def _are_all_denied(stage, _pilot):
    tick_screen(stage)
    return len(stage.answers.calls) > 1 and not inbox(stage).state.in_progress


async def test_a_key_goes_to_the_next_waiting_request():
    """Pressing `w` skips decided requests, wraps around, and says if no other request waits."""
    first, second, third = three_approvals()
    async with open_stage([first, with_decision(second, Answer.APPROVE), third]) as (pilot, stage):
        for expected in (third.id, first.id):
            await press(pilot, stage, "w")
            assert inbox(stage).state.cursor_id == expected
    async with open_stage([first]) as (pilot, stage):
        await press(pilot, stage, "w")
        assert "No other request is waiting for you." in screen_text(stage)


async def test_a_fact_is_copied():
    """Pressing `c` lists the facts, and Enter copies the value of the chosen fact."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "c", *"amount", "enter")
        assert stage.app.clipboard == "EUR 4,820.00"
        assert "Copied" in screen_text(stage)
