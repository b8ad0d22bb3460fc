"""What the user typed as an amount of money."""

import pytest

from approver_tui.state import currencies
from approver_tui.state.currencies import typed_amount
from server.protocol.policy import rendering


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("30", "EUR", 3_000),
        ("20.5", "EUR", 2_050),
        ("30", "JPY", 30),
        ("1.5", "BHD", 1_500),
        ("0.0001", "CLF", 1),
    ],
)
def test_an_amount_has_the_decimal_places_of_its_currency(text, currency, minor):
    """The same text is a different number of minor units in each currency."""
    assert typed_amount(text, currency) == {"minor": minor, "currency": currency}


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [("JPY", "3000", 3_000), ("EUR", "30.00", 3_000), ("BHD", "30.000", 30_000)],
)
def test_an_example_has_the_decimal_places_of_its_currency(currency, text, minor):
    """The form shows it, and the user can type an amount in this form."""
    assert currencies.example(currency) == text
    assert typed_amount(text, currency)["minor"] == minor


@pytest.mark.parametrize(("text", "currency"), [("1.5", "JPY"), ("1.005", "EUR"), ("x", "EUR")])
def test_an_invalid_amount_is_refused(text, currency):
    """No digit is dropped."""
    with pytest.raises(ValueError, match=r"decimal places|invalid literal"):
        typed_amount(text, currency)


def test_the_server_uses_the_same_decimal_places():
    """The app shares no code with the server, but must read an amount as the server does."""
    assert currencies._DIGITS == rendering._DIGITS
