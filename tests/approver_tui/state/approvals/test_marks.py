"""Which requests can be marked, and when a mark is lost."""

from dataclasses import replace

import pytest

from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.marks import (
    action_types,
    individual_reason,
    is_mark_lost,
    mark_blocker,
)
from tests.support.builders.multi_approver import a_shared, a_vote
from tests.support.fakes.fake_approvals import an_approval, with_answer
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import CONSENT, MINUTE, PAYMENT, PRICES

MEDIUM = {**PAYMENT, "risk": "medium", "details": [{"type": "payment.transfer"}]}
ONE = an_approval("one", MEDIUM)


def _with_ceremony(ceremony, **more):
    return an_approval("other", MEDIUM, ceremony=ceremony, **more)


@pytest.mark.parametrize("risk", ["low", "medium"])
@pytest.mark.parametrize("ceremony", ["confirm", "pin"])
def test_low_and_medium_risk_can_be_marked(risk, ceremony):
    """A request can be marked if it requires only a confirmation or the PIN."""
    approval = an_approval("one", MEDIUM, risk=risk, ceremony=ceremony)
    assert individual_reason(approval) == mark_blocker(approval, []) == ""


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
    """The reason is one line, with or without other marked requests."""
    assert individual_reason(approval).startswith(reason)
    assert mark_blocker(approval, []).startswith(reason)
    assert mark_blocker(approval, [ONE]).startswith(reason)


def test_marked_requests_have_the_same_agent_and_type():
    """The reason names the agent or the type of the marked requests."""
    same_type = an_approval("two", MEDIUM, headline="Pay Bo", resource="https://pay.example/two")
    assert mark_blocker(same_type, [ONE]) == ""
    other_agent = an_approval("two", {**MEDIUM, "agent": "other-bot"})
    other_type = an_approval("two", MEDIUM, details=[{"type": "payment.refund"}])
    assert (
        mark_blocker(other_agent, [ONE])
        == "the selected requests are from a different agent, invoice-bot."
    )
    reason = "the selected requests are of a different type, payment.transfer."
    assert mark_blocker(other_type, [ONE]) == reason


def test_without_a_type_scopes_and_resource_must_match():
    """Requests with different scopes or resources cannot be marked together."""
    rights = an_approval("one", PRICES)
    assert action_types(rights) == ("https://supplier.example/prices", "prices:read")
    assert mark_blocker(an_approval("two", PRICES), [rights]) == ""
    more = an_approval("two", PRICES, scopes=[("prices:read", "low"), ("prices:list", "low")])
    elsewhere = an_approval("two", PRICES, resource="https://other.example")
    assert "of a different type" in mark_blocker(more, [rights])
    assert "of a different type" in mark_blocker(elsewhere, [rights])


def test_a_mark_stays_while_its_request_is_unchanged():
    """A newer nonce or an extension does not remove the mark."""
    assert not is_mark_lost(ONE, ONE, NOW)
    assert not is_mark_lost(
        ONE, replace(ONE, nonce="n", extended_to=NOW + 60 * MINUTE), NOW + MINUTE
    )


@pytest.mark.parametrize(
    "copy",
    [
        None,
        with_answer(ONE, Answer.DENY),
        an_approval("one", MEDIUM, headline="Pay EUR 4,820.01 to Nordwind Logistik GmbH"),
        an_approval("one", MEDIUM, salt="another"),
        an_approval("one", MEDIUM, ceremony="pin+reason"),
    ],
    ids=["gone", "answered", "other display", "other action", "takes more"],
)
def test_a_mark_is_lost_when_its_request_changes(copy):
    """The mark is removed if the request is gone, answered, different, or needs more steps."""
    assert is_mark_lost(ONE, copy, NOW)


def test_a_mark_is_lost_at_expiry():
    """One millisecond earlier, the mark is still there."""
    assert not is_mark_lost(ONE, ONE, ONE.expires_at - 1)
    assert is_mark_lost(ONE, ONE, ONE.expires_at)
