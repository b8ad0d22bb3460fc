"""Marks: what may be answered at once, and when a request is no longer what was marked."""

from dataclasses import replace

import pytest

from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.marks import is_lost, what, why_alone, why_not_marked
from tests.support.builders.multi_approver import a_shared, a_vote
from tests.support.fakes.fake_approvals import an_approval, answered
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import CONSENT, MINUTE, PAYMENT, PRICES

MEDIUM = {**PAYMENT, "risk": "medium", "details": [{"type": "payment.transfer"}]}
ONE = an_approval("one", MEDIUM)


def _asks_for(ceremony, **more):
    return an_approval("other", MEDIUM, ceremony=ceremony, **more)


@pytest.mark.parametrize("risk", ["low", "medium"])
@pytest.mark.parametrize("ceremony", ["confirm", "pin"])
def test_low_and_medium_risk_with_a_confirmation_or_the_pin_may_be_marked(risk, ceremony):
    """Nothing else of a request keeps it alone."""
    approval = an_approval("one", MEDIUM, risk=risk, ceremony=ceremony)
    assert why_alone(approval) == why_not_marked(approval, []) == ""


@pytest.mark.parametrize(
    ("approval", "reason"),
    [
        (an_approval("one"), "high-risk requests are answered individually."),
        (an_approval("one", risk="critical"), "critical-risk requests are answered individually."),
        (_asks_for("match"), "approving requires the match number that the agent shows, so it"),
        (
            _asks_for("reason"),
            "approving requires a reason (audit log only), so it is answered individually.",
        ),
        (
            _asks_for("type_back", type_back={"label": "Amount", "kind": "money", "at": "/x"}),
            'approving requires "Amount" as you read it, so it is answered individually.',
        ),
        (
            an_approval("one", CONSENT, risk="medium"),
            "only agent actions can be selected.",
        ),
        (
            a_shared("one", a_vote(), risk="medium"),
            "other people are asked too, so it is answered individually.",
        ),
    ],
    ids=["high", "critical", "number", "reason", "fact", "consent", "people"],
)
def test_whatever_takes_more_is_answered_alone(approval, reason):
    """It never comes into a batch, and one line says why."""
    assert why_alone(approval).startswith(reason)
    assert why_not_marked(approval, []).startswith(reason)
    assert why_not_marked(approval, [ONE]).startswith(reason)


def test_only_one_agent_and_one_type_are_marked_together():
    """The same agent asks for the same type; another of either is told apart by name."""
    same = an_approval("two", MEDIUM, headline="Pay Bo", resource="https://pay.example/two")
    assert why_not_marked(same, [ONE]) == ""
    other_agent = an_approval("two", {**MEDIUM, "agent": "other-bot"})
    other_type = an_approval("two", MEDIUM, details=[{"type": "payment.refund"}])
    assert (
        why_not_marked(other_agent, [ONE])
        == "the selected requests are from another agent, invoice-bot."
    )
    reason = "the selected requests are of another type, payment.transfer."
    assert why_not_marked(other_type, [ONE]) == reason


def test_rights_alone_have_no_type_so_the_rights_and_their_resource_count():
    """Two that ask for other rights, or elsewhere, are not marked together."""
    rights = an_approval("one", PRICES)
    assert what(rights) == ("https://supplier.example/prices", "prices:read")
    assert why_not_marked(an_approval("two", PRICES), [rights]) == ""
    more = an_approval("two", PRICES, scopes=[("prices:read", "low"), ("prices:list", "low")])
    elsewhere = an_approval("two", PRICES, resource="https://other.example")
    assert "of another type" in why_not_marked(more, [rights])
    assert "of another type" in why_not_marked(elsewhere, [rights])


def test_a_mark_stays_while_its_request_is_the_same_and_waits():
    """A newer copy with the same texts, or a longer time, changes nothing."""
    assert not is_lost(ONE, ONE, NOW)
    assert not is_lost(ONE, replace(ONE, nonce="n", extended_to=NOW + 60 * MINUTE), NOW + MINUTE)


@pytest.mark.parametrize(
    "copy",
    [
        None,
        answered(ONE, Answer.DENY),
        an_approval("one", MEDIUM, headline="Pay EUR 4,820.01 to Nordwind Logistik GmbH"),
        an_approval("one", MEDIUM, salt="another"),
        an_approval("one", MEDIUM, ceremony="pin+reason"),
    ],
    ids=["gone", "answered", "other display", "other action", "takes more"],
)
def test_a_mark_is_lost_with_what_was_marked(copy):
    """Gone, answered, changed by a word, or taking more now."""
    assert is_lost(ONE, copy, NOW)


def test_a_mark_is_lost_when_time_is_up():
    """At its last millisecond it is still there."""
    assert not is_lost(ONE, ONE, ONE.expires_at - 1)
    assert is_lost(ONE, ONE, ONE.expires_at)
