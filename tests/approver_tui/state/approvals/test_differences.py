"""A granted text must be a part of the requested action."""

import json

import pytest

from approver_tui.state.approvals.differences import differing_places

ACTION = {
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


def narrow(**details):
    """Return a granted text with these members replaced in its first authorization detail."""
    return {**ACTION, "authorization_details": [{**ACTION["authorization_details"][0], **details}]}


def read_differences(granted) -> list[tuple[str, str, str]]:
    """Return each difference as a pointer with the requested and the granted value."""
    text = granted if isinstance(granted, str) else json.dumps(granted)
    return [
        (place.pointer, place.asked, place.granted)
        for place in differing_places(json.dumps(ACTION), text)
    ]


AT = "/authorization_details/0"


@pytest.mark.parametrize(
    ("granted", "differs"),
    [
        (
            narrow(amount={"minor": 500, "currency": "EUR"}),
            [(f"{AT}/amount/minor", "482000", "500")],
        ),
        (narrow(invoices=["two"]), [(f"{AT}/invoices", '["one", "two"]', '["two"]')]),
        (
            narrow(by="2026-11-25T14:00:00Z"),
            [(f"{AT}/by", '"2026-11-25T14:30:00Z"', '"2026-11-25T14:00:00Z"')],
        ),
        (narrow(dry_run=True), [(f"{AT}/dry_run", "false", "true")]),
        (
            {**ACTION, "scope": ["payments:read"]},
            [("/scope", '["payments:read", "payments:transfer"]', '["payments:read"]')],
        ),
        ({**ACTION, "token_seconds": 60}, [("/token_seconds", "", "60")]),
    ],
)
def test_every_difference_is_found_in_the_texts(granted, differs):
    """The app compares the texts itself and does not trust the server's list."""
    assert read_differences(granted) == differs


@pytest.mark.parametrize(
    "granted",
    [
        ACTION,
        {**ACTION, "salt": "t"},
        {**ACTION, "user": "somebody else"},
        {**ACTION, "more": 1},
        {**ACTION, "token_seconds": 0},
        {**ACTION, "token_seconds": True},
        {**ACTION, "scope": ["payments:read", "payments:transfer", "admin"]},
        {**ACTION, "scope": "payments:read"},
        {**ACTION, "authorization_details": [*ACTION["authorization_details"], {"type": "x"}]},
        {**ACTION, "authorization_details": [{"type": "payment.transfer"}]},
        narrow(amount={"minor": 482_001, "currency": "EUR"}),
        narrow(amount={"minor": 500, "currency": "USD"}),
        narrow(**{"payee/iban": "DE90"}),
        narrow(invoices=["two", "three"]),
        narrow(by="2026-11-25T14:00:00"),
        narrow(dry_run=0),
        [],
        "{",
    ],
)
def test_a_text_that_is_not_a_part_is_rejected(granted):
    """A text of a different request, a larger value or an additional member is rejected."""
    with pytest.raises(ValueError, match=r"."):
        read_differences(granted)


def test_slashes_in_names_are_escaped_in_pointers():
    """JSON pointers escape `/` and `~` as RFC 6901 defines."""
    action = {**ACTION, "authorization_details": [{"a/b~c": 2}]}
    (place,) = differing_places(
        json.dumps(action), json.dumps({**ACTION, "authorization_details": [{"a/b~c": 1}]})
    )
    assert place.pointer == "/authorization_details/0/a~1b~0c"
