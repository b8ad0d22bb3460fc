"""Creating a standing grant: limits, preview, and approval."""

from dataclasses import replace

import pytest

from approver_tui.client import errors
from approver_tui.screens.approvals.approve import ApprovePanel
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.consents.rights import RightsPage
from approver_tui.screens.help import HelpScreen
from approver_tui.screens.standing_grants.grant import StandingGrantPanel
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.standing_grants.standing_grants import (
    GrantState,
    StandingGrantProposal,
    VaryingFact,
)
from approver_tui.state.text import SafeText
from approver_tui.widgets.panel_button import PanelButton
from tests.support.builders.batches import a_payment
from tests.support.clients.driving import (
    NARROW,
    WIDE,
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
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, with_decision
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_grants import a_grant
from tests.support.fakes.fake_requests import CONSENT, DEPLOY, GRANT, MINUTE

PAY = a_payment("pay", 1_000, "Bo", 9, risk="high")
LOW = a_payment("low", 1_000, "Bo", 9, risk="low")
GIVES = an_approval("gives", GRANT, expires_in=30 * MINUTE)
_FIELDS = ("2", "3", "30", "20", ["space"])


def _stage(approval=PAY):
    stage = make_stage([approval])
    stage.grants_client.offers = GIVES
    return stage


def _is_on(stage):
    return not stage.app.screen.query_one("#continue", PanelButton).is_off


def _words(stage):
    """Return all words on the screen as one line."""
    return " ".join(screen_text(stage).replace("│", " ").split())


async def _fill_in(pilot, stage, fields=_FIELDS):
    """Open the panel and fill in its fields."""
    await press(pilot, stage, "s")
    await until(pilot, lambda: isinstance(stage.app.screen, StandingGrantPanel))
    await press(pilot, stage, "tab")
    for field in fields:
        await press(pilot, stage, *field, "tab")


@pytest.mark.parametrize("size", [WIDE, NARROW, (60, 20), (40, 12)])
async def test_a_grant_is_previewed_and_approved_with_the_pin(size):
    """The fields become a proposal, and an approve panel opens for the new grant."""
    stage = _stage()
    async with open_inbox(stage, size) as pilot:
        await _fill_in(pilot, stage)
        await until(pilot, lambda: _is_on(stage))
        assert stage.grants_client.proposals[-1] == StandingGrantProposal(
            approval=PAY.id,
            seconds=3_600,
            uses=3,
            sum="30",
            vary=(VaryingFact("/amount", "20"), VaryingFact("/payee", None)),
            notify=True,
        )
        stage.app.screen.query_one("#continue").focus()
        await press(pilot, stage, "enter")
        await until(pilot, lambda: isinstance(stage.app.screen, ApprovePanel))
        assert stage.answers.calls == []
        await press(pilot, stage, *["pagedown"] * 9, "tab")
        stage.app.screen.query_one("#approve").focus()
        await press(pilot, stage, "enter")
        await until(pilot, lambda: stage.answers.calls != [])
        await until(pilot, lambda: _approves(stage, PAY))
    assert stage.answers.calls[0][:2] == (GIVES.id, Answer.APPROVE)


def _approves(stage, approval):
    screen = stage.app.screen
    return isinstance(screen, ApprovePanel) and screen.approval.id == approval.id


@pytest.mark.parametrize("also", [True, False])
async def test_the_form_approves_its_low_request_too_unless_that_is_cleared(also):
    """The grant and the request are approved with separate signatures."""
    stage = _stage(LOW)
    async with open_inbox(stage) as pilot:
        await _fill_in(pilot, stage)
        assert "[x] Approve this request too" in screen_text(stage)
        if not also:
            await press(pilot, stage, "tab", "space")
        await until(pilot, lambda: _is_on(stage))
        stage.app.screen.query_one("#continue").focus()
        await press(pilot, stage, "enter")
        await until(pilot, lambda: _approves(stage, GIVES))
        await press(pilot, stage, *["pagedown"] * 9)
        stage.app.screen.query_one("#approve").focus()
        await press(pilot, stage, "enter")
        await until(pilot, lambda: len(stage.answers.calls) == 1 + also)
    approved = [answer[0] for answer in stage.answers.calls]
    assert approved == [GIVES.id, LOW.id][: 1 + also]


async def test_the_form_names_what_may_vary_as_the_request_does():
    """The form uses the labels of the facts and shows no JSON pointers."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await _fill_in(pilot, stage, ())
        text = _words(stage)
        assert "Amount up to now EUR 10.00" in text
        assert "To can be anything (now Bo)" in text
        assert "amount=" not in text
        assert " /" not in text


async def test_the_panel_shows_what_the_grant_would_have_covered():
    """The preview shows the limits and why a recent request is not covered."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await _fill_in(pilot, stage)
        await until(pilot, lambda: _is_on(stage))
        text = _words(stage)
        assert "up to EUR 20.00" in text
        assert "high; you approve the grant as critical" in text
        assert "It would have covered 1 of the last 2." in text
        await press(pilot, stage, *["pagedown"] * 3)
        text = _words(stage)
        assert "not covered: Amount is over the limit" in text


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ((), "choose a duration."),
        (("2",), "enter the max uses."),
        (("2", "0"), "enter the max uses."),
    ],
)
async def test_continue_is_unavailable_until_the_limits_are_entered(fields, why):
    """The hint names the missing limit, and no varying fact is proposed."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await _fill_in(pilot, stage, fields)
        assert f"Continue unavailable: {why}" in _words(stage)
        assert not _is_on(stage)
    assert all(proposal.vary == () for proposal in stage.grants_client.proposals)


async def test_a_refusal_is_shown_and_another_proposal_is_sent():
    """The server names the exceeded limit, and a corrected value can be proposed."""
    stage = _stage()
    stage.grants_client.failures = [
        errors.ApiError("not_grantable", 400, "uses: must be 1 to 5 at high risk.")
    ]
    async with open_inbox(stage) as pilot:
        await _fill_in(pilot, stage, ("2", "9"))
        await until(pilot, lambda: "Max uses: must be 1 to 5 at high risk." in _words(stage))
        await press(pilot, stage, "shift+tab", "backspace", "3", "enter")
        await until(pilot, lambda: _is_on(stage))


async def test_a_request_that_is_not_the_proposal_is_not_opened():
    """If the server offers something else to sign, the panel stays and says so."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await _fill_in(pilot, stage)
        await until(pilot, lambda: _is_on(stage))
        stage.grants_client.failures = [
            errors.Changed("The server offers something else for signing.")
        ]
        stage.app.screen.query_one("#continue").focus()
        await press(pilot, stage, "enter")
        await until(pilot, lambda: "something else for signing" in _words(stage))
        assert isinstance(stage.app.screen, StandingGrantPanel)
    assert stage.answers.calls == []


@pytest.mark.parametrize(
    ("approval", "why"),
    [
        (an_approval("c", CONSENT), "only agent actions can have a standing grant."),
        (an_approval("r", risk="critical"), "critical requests cannot have a standing grant."),
    ],
)
async def test_a_request_without_a_possible_grant_says_why(approval, why):
    """For a consent or a critical request, a message says why the panel does not open."""
    async with open_stage([approval]) as (pilot, stage):
        await press(pilot, stage, "s")
        assert f"Approve similar unavailable: {why}" in screen_text(stage)


async def test_a_decided_request_can_still_be_the_example():
    """The panel stays open if somebody decides the request."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "s")
        decided = with_decision(PAY, Answer.APPROVE)
        stage.server.put(decided)
        await press(pilot, stage, "tab", "2", "tab", "3", "tab")
        await until(pilot, lambda: _is_on(stage))
        inbox(stage).set_state(inbox(stage).state.with_approval(decided))
        await pilot.pause()
        assert isinstance(stage.app.screen, StandingGrantPanel)


async def test_fast_typing_and_escape_create_nothing():
    """Typing quickly through the panel and pressing Esc approves nothing."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await type_quickly(
            pilot, stage, ["s", *"yes a y", "enter", "tab", *"2h", "enter", "enter"] * 2
        )
        await press(pilot, stage, "escape", "escape")
        assert isinstance(stage.app.screen, InboxScreen)
    assert stage.answers.calls == []


async def test_the_panel_has_a_help_and_scrolls():
    """F1 opens the help, because a question mark may be part of a value."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await _fill_in(pilot, stage)
        await press(pilot, stage, "pagedown", "pageup", "f1")
        assert isinstance(stage.app.screen, HelpScreen)
        assert "an empty limit keeps this request's value" in screen_text(stage)


async def test_grants_are_listed_and_revoked():
    """Each grant shows what is left of it, and revoking one needs a confirmation."""
    stage = make_stage([an_approval("deploy", DEPLOY)])
    full = a_grant(NOW, "buyer-helper", state=GrantState.FULL, used=3, notify=False, sum=None)
    stage.grants_client.given = [a_grant(NOW), replace(full, type=None)]
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "4")
        await until(pilot, lambda: isinstance(stage.app.screen, RightsPage))
        await wait_for_page(pilot, stage)
        text = screen_text(stage)
        assert "GRANTS (2)" in text
        assert "1 of 3 used" in text
        assert "EUR 10.00 of EUR 30.00" in " ".join(text.split())
        await press(pilot, stage, "j")
        assert "Used up. You are asked each time." in screen_text(stage)
        await press(pilot, stage, "k", "z")
        assert "Revoke the standing grant?" in screen_text(stage)
        await press(pilot, stage, "tab", "enter")
        await until_shown(pilot, stage, "GRANTS (1)")
        await until_shown(pilot, stage, "Revoked: invoice-bot asks again each time.")
    assert stage.server.ended == [SafeText("sayso_sg_invoice-bot")]
