"""The uses of a token: its resource, scopes, types and values, as history stores them."""

import pytest

from server.protocol.policy import uses
from tests.support.builders.policies import payment

PAY = "https://pay.example"


def test_a_token_is_recorded_with_everything_it_was_for():
    """Token, resource, scopes, action types and their values are each recorded once."""
    details = [*payment()["details"], *payment()["details"]]
    found = uses.of_token(PAY, ["read"], details)
    plain = ("token", f"resource {PAY}", f"scope {PAY} read", "type payment")
    assert found[:4] == plain
    assert [use.split(" ")[0] for use in found[4:]] == ["value"]
    assert "Nord" not in "".join(found)
    assert uses.of_token(PAY, ["read"], []) == plain[:3]


def test_values_are_distinguished_by_type_path_and_kind():
    """A number differs from a string that looks like it, and an account differs from a payee."""
    details = [{"type": "a", "x": "1", "y": "1", "z": [{"x": 1}, {"x": "1"}], "n": None, "b": True}]
    leaves = uses.leaves(details)
    found = {pointer: uses.uses_at(leaves, pointer) for _, pointer, _ in leaves}
    assert {pointer for pointer, pointer_uses in found.items() if pointer_uses} == {
        "/x",
        "/y",
        "/z/*/x",
        "/b",
    }
    assert len({use for all_uses in found.values() for use in all_uses}) == 5
    assert len(found["/z/*/x"]) == 2
    assert uses.uses_at(uses.leaves([{"type": "b", "x": "1"}]), "/x") != found["/x"]


def test_a_token_records_a_limited_number_of_values():
    """Values beyond the limit count as new, so the user is asked about them."""
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
def test_money_is_summed_by_currency_and_never_reduced(details, sums):
    """A refund in the same request does not reduce the sum."""
    assert uses.money(details) == sums
