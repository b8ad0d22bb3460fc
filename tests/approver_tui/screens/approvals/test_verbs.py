"""Labels of buttons, headlines and keys."""

from dataclasses import replace

import pytest

from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.narrowing import Difference, Granted, narrowed_headline
from approver_tui.state.money import amount
from approver_tui.state.text import SafeText
from approver_tui.widgets.panel_button import PanelButton
from tests.support.clients.driving import cut_off, inbox, look, opened, press, shown, until
from tests.support.fakes.fake_account import a_device, a_token
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval, answered, three
from tests.support.fakes.fake_requests import DEPLOY, MINUTE, PRICES

EUR = {"minor": 482_000, "currency": "EUR"}
MONEY = [{"type": "payment.transfer", "amount": EUR}]
PAY = an_approval("pay", risk="medium", details=MONEY)
LESS = Granted(
    "{}",
    (Difference(SafeText("Amount"), SafeText("EUR 4,820.00"), SafeText("EUR 500.00")),),
    headline=SafeText("Pay EUR 500.00 to Nordwind"),
)


def _label(stage, name):
    return str(stage.app.screen.query_one(name, PanelButton).label)


async def test_the_button_repeats_the_amount():
    """It is the amount that approving would spend."""
    stage = a_stage([PAY])
    async with opened(stage) as pilot:
        await press(pilot, stage, "a")
        assert _label(stage, "#approve") == "[ Approve EUR 4,820.00 ]"


async def test_a_long_amount_is_not_on_the_button():
    """The button then has the verb only."""
    much = [{"type": "payment.transfer", "amount": {"minor": 123_456_789_00, "currency": "EUR"}}]
    facts = [("Amount", "EUR 123,456,789.00", True)]
    stage = a_stage([an_approval("pay", risk="medium", details=much, facts=facts)])
    async with opened(stage) as pilot:
        await press(pilot, stage, "a")
        assert _label(stage, "#approve") == "[ Approve ]"


def test_the_button_has_the_narrowed_amount():
    """An action without money, or with an amount to type back, has no amount there."""
    assert amount(PAY) == "EUR 4,820.00"
    assert amount(replace(PAY, granted=LESS)) == "EUR 500.00"
    assert amount(an_approval("web", DEPLOY)) == ""
    typed = {"label": "Amount", "kind": "money"}
    assert (
        amount(an_approval("pay", ceremony="pin+type_back", details=MONEY, type_back=typed)) == ""
    )


@pytest.mark.parametrize(
    ("granted", "told"),
    [
        (None, "Pay EUR 4,820.00 to Nordwind"),
        (LESS, "Pay EUR 500.00 to Nordwind"),
        (Granted("{}", ()), "With limits: Pay EUR 4,820.00 to Nordwind"),
    ],
)
def test_a_headline_shows_what_is_granted(granted, told):
    """If it cannot, it says that there are limits."""
    assert narrowed_headline(SafeText("Pay EUR 4,820.00 to Nordwind"), granted) == told


async def test_keys_that_do_nothing_are_not_shown():
    """Pressing one still says why."""
    stage = a_stage([PAY])
    async with opened(stage, (140, 30)) as pilot:
        assert "Limits.." in shown(stage)
        await cut_off(pilot, stage, "The server does not answer.")
        look(stage)
        await pilot.pause()
        for hint in ("Limits..", "Report..", "Similar..", "Phone.."):
            assert hint not in shown(stage)
        await press(pilot, stage, "e")
        assert "Limits unavailable: no connection to the server" in shown(stage)


async def test_a_wrong_clock_is_reported_with_its_difference():
    """Every time on the screen is the server's."""
    stage = a_stage([PAY])
    stage.server.skew = 5 * MINUTE
    async with opened(stage):
        assert "clock is 5 min behind the server's" in " ".join(shown(stage).split())


@pytest.mark.parametrize(
    ("risk", "longest", "refused"),
    [("low", "30 days", None), ("medium", "8 hours", "1 day"), ("high", "1 hour", "8 hours")],
)
async def test_the_grant_panel_offers_what_the_risk_allows(risk, longest, refused):
    """The server allows an hour at high risk."""
    stage = a_stage([an_approval("web", DEPLOY, risk=risk, left=9 * MINUTE)])
    async with opened(stage) as pilot:
        await press(pilot, stage, "s")
        assert longest in shown(stage)
        assert refused is None or refused not in shown(stage)


async def test_id_and_link_are_copied():
    """The link is at the server of the login."""
    stage = a_stage([PAY], place={"issuer": "https://sayso.example"})
    async with opened(stage) as pilot:
        await press(pilot, stage, "y")
        assert stage.app.clipboard == PAY.id
        await press(pilot, stage, "Y")
        assert stage.app.clipboard == f"https://sayso.example/r/{PAY.id}"
        assert "Copied, if this terminal supports it" in shown(stage)


async def test_t_shows_the_history_of_the_agent():
    """Filtered; the filter can be changed there."""
    stage = a_stage([an_approval("web", DEPLOY)])
    stage.server.put(
        answered(an_approval("old", DEPLOY), Answer.APPROVE),
        answered(an_approval("prices", PRICES), Answer.APPROVE),
    )
    async with opened(stage) as pilot:
        await press(pilot, stage, "t")
        await until(pilot, lambda: "HISTORY (1)" in shown(stage))


async def test_a_device_is_renamed():
    """The user types the new name."""
    stage = a_stage([PAY])
    async with opened(stage) as pilot:
        await press(pilot, stage, "5")
        await until(pilot, lambda: stage.app.screen.found is not None)
        await press(pilot, stage, "n", "tab", "ctrl+u", *"desk", "tab", "enter")
        await until(pilot, lambda: "Renamed to desk." in shown(stage))
    assert stage.server.device.name == "desk"


async def test_a_browser_gets_a_test_notification():
    """A terminal does not."""
    phone = replace(a_device(), id="sayso_dv_p", name=SafeText("phone"), kind=SafeText("browser"))
    stage = a_stage([PAY])
    stage.server.others = [replace(phone, is_this=False)]
    async with opened(stage) as pilot:
        await press(pilot, stage, "5")
        await until(pilot, lambda: stage.app.screen.found is not None)
        await press(pilot, stage, "T")
        assert "Test unavailable: only a browser gets push messages." in shown(stage)
        await press(pilot, stage, "j", "T", "tab", "enter")
        await until(pilot, lambda: "Sent. phone shows it" in shown(stage))


async def test_the_token_of_a_past_approval_is_ended_from_the_history():
    """An approval without one says so."""
    used = replace(answered(an_approval("old"), Answer.APPROVE), state=ApprovalState.REDEEMED)
    stage = a_stage([])
    stage.server.put(used)
    token = replace(a_token(), approval_id=SafeText(used.id))
    stage.server.tokens = [token]
    async with opened(stage) as pilot:
        await press(pilot, stage, "2")
        await until(pilot, lambda: stage.app.screen.found is not None)
        await press(pilot, stage, "z", "tab", "enter")
        await until(pilot, lambda: "1 token ended." in shown(stage))
        assert stage.server.ended == [token.id]
        stage.server.put(answered(an_approval("old"), Answer.DENY))
        await press(pilot, stage, "r")
        await press(pilot, stage, "z")
        assert "End token unavailable: no token was issued for it." in shown(stage)


async def test_the_other_requests_of_an_agent_can_be_denied_too():
    """Each by its own answer; without the checkbox only this one."""
    rows = [an_approval(name, DEPLOY, left=3 * MINUTE) for name in ("one", "two")]
    stage = a_stage([*rows, *three()])
    async with opened(stage) as pilot:
        await press(pilot, stage, "d")
        screen = stage.app.screen
        tick = screen.query_one("#all")
        screen.set_focus(None)
        tick.focus()
        await press(pilot, stage, "space")
        assert tick.is_on
        screen.query_one("DenyCodes").focus()
        await press(pilot, stage, "1", "enter")
        about = screen.approval.agent.id
        stage.clock.move(6)
        await until(pilot, lambda: _denied(stage, pilot))
    given = [each for each, answer, _ in stage.answers.given if answer is Answer.DENY]
    mine = [each.id for each in (*rows, *three()) if each.agent.id == about]
    assert sorted(given) == sorted(mine)


def _denied(stage, _pilot):
    look(stage)
    return len(stage.answers.given) > 1 and not inbox(stage).state.in_progress
