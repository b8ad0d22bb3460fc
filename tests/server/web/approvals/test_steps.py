"""The text of the approve button, and when the headline would reveal the fact to type."""

import pytest

from server.web.approvals import request

_ACCOUNT = {"label": "To account", "value": "GB33 BUKB 2020 1555 QXZW"}
_AMOUNT = {"label": "Amount", "value": "EUR 4,820.00"}


@pytest.mark.parametrize(
    ("headline", "text"),
    [
        ("Pay EUR 4,820.00 to Nordwind Logistik GmbH", "Pay EUR 4,820.00"),
        ("Pay 4\u00a0820,00 EUR to Nordwind", "Pay 4\\u{a0}820,00 EUR"),
        ("Delete 4,000 rows from customers", "Delete 4,000 rows"),
        ("Use payments:read at https://pay.example", "Use payments:read"),
        ("Restart server 3 in cluster 7", "Restart server 3 in cluster 7"),
        ("Pay EUR 5.00 to Nordwind and 2 more", "Approve with passkey"),
        ("Transfer the whole remaining sum of EUR 1,000,000.00", "Approve with passkey"),
        ("Replace every certificate and every private key", "Replace every certificate and…"),
        ("x" * 40, "Approve with passkey"),
        ("Pay \u202e5 to eve", "Pay \\u{202e}5"),
    ],
)
def test_the_button_says_what_it_does_and_never_cuts_an_amount(headline: str, text: str) -> None:
    """The text ends before a preposition or at a word; control characters are escaped."""
    assert request.button_text("action", headline) == text


def test_the_button_of_other_requests_says_that_it_approves() -> None:
    """Headlines of other requests describe a thing, such as a new device, and not an action."""
    assert request.button_text("device", "New terminal laptop") == "Approve with passkey"


@pytest.mark.parametrize(
    ("wanted", "headline", "is_shown"),
    [
        (None, "Pay EUR 4,820.00 to Nordwind", False),
        (("To account", "last_four"), "Pay EUR 4,820.00 to Nordwind", False),
        (("To account", "last_four"), "Pay EUR 4,820.00 to GB33BUKB20201555QXZW", True),
        (("To account", "last_four"), "Pay EUR 4,820.00 to …qxzw", True),
        (("Amount", "money"), "Pay EUR 4,820.00 to Nordwind", True),
        (("Amount", "money"), "Pay Nordwind", False),
        (("Nothing like it", "text"), "Pay Nordwind", True),
    ],
)
def test_the_headline_is_left_out_if_it_contains_the_fact_to_type(
    wanted: tuple[str, str] | None, headline: str, *, is_shown: bool
) -> None:
    """If the fact is not listed, the headline is left out because it may contain the fact."""
    typed = None if wanted is None else {"label": wanted[0], "kind": wanted[1]}
    display = {"type_back": typed, "facts": [_ACCOUNT, _AMOUNT], "headline": headline}
    assert request.shows_typed_fact(display) is is_shown
