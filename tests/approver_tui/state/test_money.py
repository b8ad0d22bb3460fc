"""Sums of several requests include only the amounts in the signed actions."""

import pytest

from approver_tui.state.money import amount, sums
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_requests import PAYMENT, PRICES


def _payment(name, *amounts, facts=()):
    """Return a request with these amounts, each as minor units, currency and displayed text."""
    details = [{"amount": {"minor": minor, "currency": code}} for minor, code, _text in amounts]
    rows = [("Amount", text, True) for _minor, _code, text in amounts]
    terms = {**PAYMENT, "details": [{"type": "pay", "items": details}], "facts": [*rows, *facts]}
    return an_approval(name, terms)


def _sum_texts(*approvals):
    return [(total.label, total.text) for total in sums(approvals)]


def test_amounts_of_one_fact_in_one_currency_are_added():
    """One request can have several amounts. The sum has thousands separators."""
    payment = _payment("one", (482_000, "EUR", "EUR 4,820.00"), (1, "EUR", "EUR 0.01"))
    other_payment = _payment("two", (517_999, "EUR", "EUR 5,179.99"))
    assert _sum_texts(payment, other_payment) == [("Amount", "EUR 10,000.00")]


@pytest.mark.parametrize("text", ["EUR ,", "EUR -,", "EUR " + "9" * 3_900 + "." + "9" * 500])
def test_a_text_with_a_malformed_amount_is_ignored(text):
    """The agent writes the texts of its request, so no text may crash the app."""
    payment = _payment("one", (1, "EUR", "EUR 0.01"), facts=[("Reference", text, True)])
    assert _sum_texts(payment) == [("Amount", "EUR 0.01")]
    assert amount(payment) == "EUR 0.01"


def test_currencies_and_facts_are_summed_separately():
    """The sums are listed in the order in which they first appear."""
    payment = _payment("one", (100, "EUR", "EUR 1.00"), (500, "JPY", "JPY 500"))
    fee = an_approval(
        "fee",
        {
            **PAYMENT,
            "details": [{"type": "pay", "fee": {"minor": 7, "currency": "EUR"}}],
            "facts": [("Fee", "EUR 0.07", False)],
        },
    )
    assert _sum_texts(payment, fee) == [
        ("Amount", "EUR 1.00"),
        ("Amount", "JPY 500"),
        ("Fee", "EUR 0.07"),
    ]


def test_a_refund_is_subtracted():
    """The sum is negative if only a refund is included."""
    refund = _payment("one", (-150_050, "EUR", "EUR -1,500.50"))
    assert _sum_texts(refund) == [("Amount", "EUR -1,500.50")]
    assert _sum_texts(refund, _payment("two", (50, "EUR", "EUR 0.50"))) == [
        ("Amount", "EUR -1,500.00")
    ]


@pytest.mark.parametrize(
    "fact",
    [
        ("Reference", "EUR 9,999.00", False),
        ("Reference", "about EUR 1.00", False),
        ("Reference", "EUR 1.00", False),
    ],
)
def test_an_amount_in_a_text_is_not_added(fact):
    """The agent writes the texts of its request, so they must not change a sum."""
    payment = _payment("one", (100, "EUR", "EUR 1.00"), facts=[fact])
    assert _sum_texts(payment) == [("Amount", "EUR 1.00")]


@pytest.mark.parametrize(
    "money",
    [
        {"minor": 100, "currency": "EUR", "note": "x"},
        {"minor": "100", "currency": "EUR"},
        {"minor": 100, "currency": 7},
    ],
)
def test_only_valid_amounts_in_the_signed_action_are_added(money):
    """The fact displays an amount, but the amount in the action is malformed."""
    terms = {**PAYMENT, "details": [{"type": "pay", "amount": money}]}
    assert sums([an_approval("one", terms, facts=[("Amount", "EUR 1.00", True)])]) == ()


def test_a_request_without_an_amount_has_no_sum():
    """The request is only for scopes."""
    assert sums([an_approval("prices", PRICES)]) == ()
