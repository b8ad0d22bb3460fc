"""A granted text must be a part of the action."""

import json

import pytest

from approver_tui.state.approvals.differences import differing_places

ASKED = {
    "agent": "a",
    "authorization_details": [
        {
            "type": "payment.transfer",
            "amount": {"minor": 482_000, "currency": "EUR"},
            "payee/iban": "DE89",
            "invoices": ["one", "two"],
            "by": "2026-11-25T14:30:00Z",
            "dry_run": False,
        }
    ],
    "resource": "https://pay.example",
    "salt": "s",
    "scope": ["payments:read", "payments:transfer"],
    "user": "u",
}


def less(**details):
    """A granted text with other members in its first object."""
    return {**ASKED, "authorization_details": [{**ASKED["authorization_details"][0], **details}]}


def found(granted) -> list[tuple[str, str, str]]:
    """The places as plain texts."""
    text = granted if isinstance(granted, str) else json.dumps(granted)
    return [(p.pointer, p.asked, p.granted) for p in differing_places(json.dumps(ASKED), text)]


AT = "/authorization_details/0"


@pytest.mark.parametrize(
    ("granted", "differs"),
    [
        (
            less(amount={"minor": 500, "currency": "EUR"}),
            [(f"{AT}/amount/minor", "482000", "500")],
        ),
        (less(invoices=["two"]), [(f"{AT}/invoices", '["one", "two"]', '["two"]')]),
        (
            less(by="2026-11-25T14:00:00Z"),
            [(f"{AT}/by", '"2026-11-25T14:30:00Z"', '"2026-11-25T14:00:00Z"')],
        ),
        (less(dry_run=True), [(f"{AT}/dry_run", "false", "true")]),
        (
            {**ASKED, "scope": ["payments:read"]},
            [("/scope", '["payments:read", "payments:transfer"]', '["payments:read"]')],
        ),
        ({**ASKED, "token_seconds": 60}, [("/token_seconds", "", "60")]),
    ],
)
def test_every_difference_is_found_in_the_texts(granted, differs):
    """The app compares the texts itself and does not trust the server's list."""
    assert found(granted) == differs


@pytest.mark.parametrize(
    "granted",
    [
        ASKED,
        {**ASKED, "salt": "t"},
        {**ASKED, "user": "somebody else"},
        {**ASKED, "more": 1},
        {**ASKED, "token_seconds": 0},
        {**ASKED, "token_seconds": True},
        {**ASKED, "scope": ["payments:read", "payments:transfer", "admin"]},
        {**ASKED, "scope": "payments:read"},
        {**ASKED, "authorization_details": [*ASKED["authorization_details"], {"type": "x"}]},
        {**ASKED, "authorization_details": [{"type": "payment.transfer"}]},
        less(amount={"minor": 482_001, "currency": "EUR"}),
        less(amount={"minor": 500, "currency": "USD"}),
        less(**{"payee/iban": "DE90"}),
        less(invoices=["two", "three"]),
        less(by="2026-11-25T14:00:00"),
        less(dry_run=0),
        [],
        "{",
    ],
)
def test_a_text_that_is_no_part_is_rejected(granted):
    """The text of another request, a larger one, and one with something else are rejected."""
    with pytest.raises(ValueError, match=r"."):
        found(granted)


def test_slashes_in_names_are_escaped_in_pointers():
    """RFC 6901 defines the escapes."""
    asked = {**ASKED, "authorization_details": [{"a/b~c": 2}]}
    (place,) = differing_places(
        json.dumps(asked), json.dumps({**ASKED, "authorization_details": [{"a/b~c": 1}]})
    )
    assert place.pointer == "/authorization_details/0/a~1b~0c"
