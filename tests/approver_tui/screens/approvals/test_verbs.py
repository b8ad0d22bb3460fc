"""Buttons say what they let go, headlines what is granted, and keys whether they do anything."""

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
    """The one that a yes lets go."""
    stage = a_stage([PAY])
    async with opened(stage) as pilot:
        await press(pilot, stage, "a")
        assert _label(stage, "#approve") == "[ Approve EUR 4,820.00 ]"


async def test_an_amount_too_long_for_a_narrow_panel_is_not_cut():
    """The button says the verb alone then."""
    much = [{"type": "payment.transfer", "amount": {"minor": 123_456_789_00, "currency": "EUR"}}]
    facts = [("Amount", "EUR 123,456,789.00", True)]
    stage = a_stage([an_approval("pay", risk="medium", details=much, facts=facts)])
    async with opened(stage) as pilot:
        await press(pilot, stage, "a")
        assert _label(stage, "#approve") == "[ Approve ]"


def test_of_less_it_is_the_smaller_amount_and_of_no_money_none():
    """Nor of what is to be typed back: the panel does not repeat it."""
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
def test_a_headline_tells_what_is_granted(granted, told):
    """And where it cannot, that there are limits."""
    assert narrowed_headline(SafeText("Pay EUR 4,820.00 to Nordwind"), granted) == told


async def test_keys_that_do_nothing_to_what_is_selected_say_so():
    """Before anybody presses them."""
    stage = a_stage([PAY])
    async with opened(stage, (140, 30)) as pilot:
        assert "(off)" not in shown(stage)
        await cut_off(pilot, stage, "The server does not answer.")
        look(stage)
        await pilot.pause()
        for hint in ("Limits..", "Report..", "Similar..", "Phone.."):
            assert f"{hint} (off)" in shown(stage)


async def test_a_wrong_clock_is_told_with_how_far_it_is_off():
    """Every time on the screen is the server's."""
    stage = a_stage([PAY])
    stage.server.skew = 5 * MINUTE
    async with opened(stage):
        assert "clock is 5 min behind the server's" in " ".join(shown(stage).split())


@pytest.mark.parametrize(
    ("risk", "lasting"), [("low", "up to 30d"), ("medium", "8h at most"), ("high", "1h at most")]
)
async def test_the_panel_that_approves_ahead_offers_what_its_risk_allows(risk, lasting):
    """Not a month of what the server gives for an hour."""
    stage = a_stage([an_approval("web", DEPLOY, risk=risk, left=9 * MINUTE)])
    async with opened(stage) as pilot:
        await press(pilot, stage, "s")
        assert lasting in shown(stage)


async def test_id_and_link_are_copied():
    """The link leads to the page of the server that asked."""
    stage = a_stage([PAY], place={"issuer": "https://sayso.example"})
    async with opened(stage) as pilot:
        await press(pilot, stage, "y")
        assert stage.app.clipboard == PAY.id
        await press(pilot, stage, "Y")
        assert stage.app.clipboard == f"https://sayso.example/r/{PAY.id}"
        assert "Copied, if this terminal supports it" in shown(stage)


async def test_the_trail_is_what_the_agent_asked_before():
    """In the history, filtered; the filter can be changed there."""
    stage = a_stage([an_approval("web", DEPLOY)])
    stage.server.put(
        answered(an_approval("old", DEPLOY), Answer.APPROVE),
        answered(an_approval("prices", PRICES), Answer.APPROVE),
    )
    async with opened(stage) as pilot:
        await press(pilot, stage, "t")
        await until(pilot, lambda: "HISTORY (1)" in shown(stage))


async def test_a_device_is_renamed():
    """After its new name is written."""
    stage = a_stage([PAY])
    async with opened(stage) as pilot:
        await press(pilot, stage, "5")
        await until(pilot, lambda: stage.app.screen.found is not None)
        await press(pilot, stage, "n", "tab", "ctrl+u", *"desk", "tab", "enter")
        await until(pilot, lambda: "Renamed to desk." in shown(stage))
    assert stage.server.device.name == "desk"


async def test_a_browser_is_called_to_try():
    """A terminal is not: it has its own bell."""
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


async def test_the_token_of_a_past_yes_is_ended_from_the_history():
    """Found by its approval; of what gave none it says so."""
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


async def test_the_other_requests_of_an_agent_are_denied_with_it_where_the_person_ticks_that():
    """Each by an answer of its own; without the tick it is this one alone."""
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
    return len(stage.answers.given) > 1 and not inbox(stage).state.doing
