"""What a token was for, as history remembers it."""

import pytest

from server.protocol.policy import uses
from tests.support.builders.policies import payment

PAY = "https://pay.example"


def test_a_token_is_remembered_for_everything_that_it_was_for():
    """Itself, its resource, its scopes, its actions and the values in them, each once."""
    details = [*payment()["details"], *payment()["details"]]
    found = uses.of_token(PAY, ["read"], details)
    plain = ("token", f"resource {PAY}", f"scope {PAY} read", "type payment")
    assert found[:4] == plain
    assert [one.split(" ")[0] for one in found[4:]] == ["value"]
    assert "Nord" not in "".join(found)
    assert uses.of_token(PAY, ["read"], []) == plain[:3]


def test_values_are_told_apart_by_type_place_and_kind():
    """A number is not the text that looks like it, and an account is not a payee."""
    details = [{"type": "a", "x": "1", "y": "1", "z": [{"x": 1}, {"x": "1"}], "n": None, "b": True}]
    leaves = uses.leaves(details)
    found = {pointer: uses.uses_at(leaves, pointer) for _, pointer, _ in leaves}
    assert {pointer for pointer, there in found.items() if there} == {"/x", "/y", "/z/*/x", "/b"}
    assert len({one for many in found.values() for one in many}) == 5
    assert len(found["/z/*/x"]) == 2
    assert uses.uses_at(uses.leaves([{"type": "b", "x": "1"}]), "/x") != found["/x"]


def test_a_token_remembers_few_values():
    """What is left out counts as never seen, so it asks."""
    details = [{"type": "a", "x": [str(n) for n in range(100)]}]
    assert len(uses.of_token(PAY, [], details)) == 3 + uses.MAX_VALUES


@pytest.mark.parametrize(
    ("details", "sums"),
    [
        ([{"type": "a", "x": {"minor": 5, "currency": "EUR"}}], {"EUR": 5}),
        (
            [
                {"type": "a", "x": {"minor": 5, "currency": "EUR"}},
                {"type": "a", "x": [{"minor": -7, "currency": "EUR"}]},
                {"type": "a", "x": {"y": {"minor": 1, "currency": "USD"}}},
            ],
            {"EUR": 12, "USD": 1},
        ),
        ([{"type": "a", "x": {"minor": "5", "currency": "EUR"}}], {}),
        ([{"type": "a", "x": {"minor": True, "currency": "EUR"}}], {}),
        ([{"type": "a", "x": {"minor": 5, "currency": 1}}], {}),
        ([{"type": "a", "x": {"minor": 5, "currency": "EUR", "more": 1}}], {}),
    ],
)
def test_money_adds_up_by_currency_and_never_to_less(details, sums):
    """A refund in the same request does not make a payment smaller."""
    assert uses.money(details) == sums
