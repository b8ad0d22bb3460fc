"""The facts of a request that may vary in a standing grant."""

import pytest

from approver_tui.state.standing_grants.varying import currency_text, difference, varying_members
from approver_tui.state.text import SafeText
from tests.support.fakes.fake_approvals import an_approval

DETAIL = {
    "type": "payment.transfer",
    "amount": {"minor": 482_000, "currency": "EUR"},
    "payee": "Bo",
    "lines": [1, 2],
    "meta": {"note/x": "hi", "rows": 1_200, "dry": True},
}
FACTS = [("Sum", "EUR 4,820.00", True), ("To", "Bo", True)]
MEMBERS = varying_members(an_approval("pay", facts=FACTS, details=[DETAIL]))


def test_members_have_the_label_and_value_of_the_fact_that_shows_them():
    """Other members are named by their path. Booleans and the type cannot vary."""
    assert [(member.pointer, member.label, member.value) for member in MEMBERS] == [
        ("/amount", "Sum", "EUR 4,820.00"),
        ("/lines", "Lines", "[1, 2]"),
        ("/meta/note~1x", "Meta note/x", "hi"),
        ("/meta/rows", "Meta rows", "1,200"),
        ("/payee", "To", "Bo"),
    ]
    assert [member.is_limited for member in MEMBERS] == [True, False, False, True, False]


def test_the_currency_is_found_at_any_depth():
    """A total is needed for an amount in a list too, which cannot vary by itself."""
    lines = {"type": "order", "lines": [{"price": {"minor": 5, "currency": "JPY"}}]}
    assert currency_text(an_approval("a", details=[DETAIL])) == "EUR"
    assert currency_text(an_approval("b", details=[lines])) == "JPY"
    assert currency_text(an_approval("c", details=[{"type": "note", "text": "JPY"}])) == ""


def test_several_details_cannot_vary():
    """A grant covers one action, so no member of a request with several details can vary."""
    assert varying_members(an_approval("two", details=[DETAIL, DETAIL])) == ()
    assert varying_members(an_approval("none")) == ()


@pytest.mark.parametrize(
    ("mismatch", "description"),
    [
        ("/payee", "a different to"),
        ("/amount/currency", "a different sum"),
        ("/unknown", "other details"),
        ("risk", "a higher risk"),
        ("something new", "something new"),
    ],
)
def test_a_difference_is_described_without_a_pointer(mismatch, description):
    """A difference is named by the label of its fact or in plain words."""
    assert difference(MEMBERS, SafeText(mismatch)) == description
