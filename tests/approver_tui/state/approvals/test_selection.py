"""Which requests can be selected, and when they are deselected."""

from dataclasses import replace

import pytest

from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.selection import (
    action_types,
    individual_reason,
    is_selection_lost,
    selection_blocker,
)
from tests.support.builders.multi_approver import a_shared, a_vote
from tests.support.fakes.fake_approvals import an_approval, with_decision
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import CONSENT, MINUTE, PAYMENT, PRICES

MEDIUM = {**PAYMENT, "risk": "medium", "details": [{"type": "payment.transfer"}]}
ONE = an_approval("one", MEDIUM)


def _with_ceremony(ceremony, **more):
    return an_approval("other", MEDIUM, ceremony=ceremony, **more)


@pytest.mark.parametrize("risk", ["low", "medium"])
@pytest.mark.parametrize("ceremony", ["confirm", "pin"])
def test_low_and_medium_risk_can_be_selected(risk, ceremony):
    """A request can be selected if it requires only a confirmation or the PIN."""
    approval = an_approval("one", MEDIUM, risk=risk, ceremony=ceremony)
    assert individual_reason(approval) == selection_blocker(approval, []) == ""


@pytest.mark.parametrize(
    ("approval", "reason"),
    [
        (an_approval("one"), "high-risk requests are answered individually."),
        (an_approval("one", risk="critical"), "critical-risk requests are answered individually."),
        (
            _with_ceremony("match"),
            "approving requires the match number that the agent shows, so it",
        ),
        (
            _with_ceremony("reason"),
            "approving requires a reason (audit log only), so it is answered individually.",
        ),
        (
            _with_ceremony("type_back", type_back={"label": "Amount", "kind": "money", "at": "/x"}),
            'approving requires the value of "Amount", so it is answered individually.',
        ),
        (
            an_approval("one", CONSENT, risk="medium"),
            "only agent actions can be selected.",
        ),
        (
            a_shared("one", a_vote(), risk="medium"),
            "it has several approvers, so it is answered individually.",
        ),
    ],
    ids=["high", "critical", "number", "reason", "fact", "consent", "people"],
)
def test_requests_with_other_steps_are_answered_individually(approval, reason):
    """The reason is one line, with or without other selected requests."""
    assert individual_reason(approval).startswith(reason)
    assert selection_blocker(approval, []).startswith(reason)
    assert selection_blocker(approval, [ONE]).startswith(reason)


def test_selected_requests_have_the_same_agent_and_type():
    """The reason names the agent or the type of the selected requests."""
    same_type = an_approval("two", MEDIUM, headline="Pay Bo", resource="https://pay.example/two")
    assert selection_blocker(same_type, [ONE]) == ""
    other_agent = an_approval("two", {**MEDIUM, "agent": "other-bot"})
    other_type = an_approval("two", MEDIUM, details=[{"type": "payment.refund"}])
    assert (
        selection_blocker(other_agent, [ONE])
        == "the selected requests are from a different agent, invoice-bot."
    )
    reason = "the selected requests are of a different type, payment.transfer."
    assert selection_blocker(other_type, [ONE]) == reason


def test_without_a_type_scopes_and_resource_must_match():
    """Requests with different scopes or resources cannot be selected together."""
    rights = an_approval("one", PRICES)
    assert action_types(rights) == ("https://supplier.example/prices", "prices:read")
    assert selection_blocker(an_approval("two", PRICES), [rights]) == ""
    more = an_approval("two", PRICES, scopes=[("prices:read", "low"), ("prices:list", "low")])
    elsewhere = an_approval("two", PRICES, resource="https://other.example")
    assert "of a different type" in selection_blocker(more, [rights])
    assert "of a different type" in selection_blocker(elsewhere, [rights])


def test_an_unchanged_request_stays_selected():
    """A newer nonce or an extension does not deselect a request."""
    assert not is_selection_lost(ONE, ONE, NOW)
    assert not is_selection_lost(
        ONE, replace(ONE, nonce="n", extended_to=NOW + 60 * MINUTE), NOW + MINUTE
    )


@pytest.mark.parametrize(
    "copy",
    [
        None,
        with_decision(ONE, Answer.DENY),
        an_approval("one", MEDIUM, headline="Pay EUR 4,820.01 to Nordwind Logistik GmbH"),
        an_approval("one", MEDIUM, salt="another"),
        an_approval("one", MEDIUM, ceremony="pin+reason"),
    ],
    ids=["gone", "answered", "other display", "other action", "takes more"],
)
def test_a_changed_request_is_deselected(copy):
    """A request is deselected if it is gone, answered, different, or needs more steps."""
    assert is_selection_lost(ONE, copy, NOW)


def test_an_expired_request_is_deselected():
    """One millisecond earlier, the request is still selected."""
    assert not is_selection_lost(ONE, ONE, ONE.expires_at - 1)
    assert is_selection_lost(ONE, ONE, ONE.expires_at)
