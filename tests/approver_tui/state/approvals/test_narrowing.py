"""A narrowed text must match the proposal exactly."""

import json

import pytest

from approver_tui.state.approvals.narrowing import (
    NarrowedFact,
    Narrowing,
    matches_narrowing,
    read_change,
)

ORDER = {
    "total": {"minor": 500, "currency": "EUR"},
    "count": 3,
    "by": "2026-11-25T14:30:00+00:00",
    "dry": False,
    "a/b": 2,
    "lines": [{"price": 1}, {"price": 2}],
    "note": None,
}
ACTION = {
    "agent": "bot",
    "authorization_details": [ORDER],
    "resource": "https://shop.example",
    "salt": "salt",
    "scope": ["place", "read"],
    "user": "ana",
}


def matches(*changes, drop=(), **granted):
    """Return whether a granted text with these members matches the proposed narrowing."""
    proposal = Narrowing(tuple(map(read_change, changes)), tuple(drop))
    return matches_narrowing(proposal, json.dumps(ACTION), json.dumps({**ACTION, **granted}))


def details(**members):
    """Return the order with these members replaced."""
    return [{**ORDER, **members}]


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("amount=500", NarrowedFact(0, "/amount", "500")),
        ("2:amount=500", NarrowedFact(1, "/amount", "500")),
        ("lines.0.price=1", NarrowedFact(0, "/lines/0/price", "1")),
        ("/a~1b=x=y", NarrowedFact(0, "/a~1b", "x=y")),
        ("rows=", NarrowedFact(0, "/rows", "")),
    ],
)
def test_a_reduction_is_parsed(text, change):
    """A name or a JSON pointer selects the fact, and a leading number its object."""
    assert read_change(text) == change


@pytest.mark.parametrize(
    "text", ["amount", "=500", "0:amount=1", "x:amount=1", ":amount=1", "1:=5"]
)
def test_an_invalid_reduction_is_rejected(text):
    """The error for an invalid reduction shows the valid form."""
    with pytest.raises(ValueError, match="FACT=VALUE"):
        read_change(text)


def test_an_empty_narrowing_is_false():
    """An empty narrowing is false, so a full approval is not mistaken for a narrowed one."""
    assert not Narrowing()
    assert Narrowing(drop_scopes=("read",))
    assert Narrowing(token_seconds=60)


@pytest.mark.parametrize(
    ("proposed", "granted", "is_match"),
    [(60, 60, True), (60, 61, False), (60, None, False), (None, 60, False), (1, True, False)],
)
def test_the_token_lifetime_must_match_the_proposal(proposed, granted, is_match):
    """The lifetime in seconds must be equal, and a boolean is not a number."""
    members = {} if granted is None else {"token_seconds": granted}
    text = json.dumps({**ACTION, **members})
    assert (
        matches_narrowing(Narrowing(token_seconds=proposed), json.dumps(ACTION), text) is is_match
    )


@pytest.mark.parametrize(
    ("change", "member", "value"),
    [
        ("total=1", "total", {"minor": 100, "currency": "EUR"}),
        ("count=0", "count", 0),
        ("by=2026-11-25T10:00:00+00:00", "by", "2026-11-25T10:00:00+00:00"),
        ("dry=yes", "dry", True),
        ("/a~1b=1", "a/b", 1),
        ("lines=2", "lines", [{"price": 2}]),
        ("lines=none", "lines", []),
        ("lines.1.price=1", "lines", [{"price": 1}, {"price": 1}]),
    ],
)
def test_the_reduced_fact_must_be_smaller(change, member, value):
    """A text matches if it grants a smaller value for the fact that the proposal names."""
    assert matches(change, authorization_details=details(**{member: value}))


def test_exactly_the_proposed_scopes_are_dropped():
    """A text that drops a different scope, or none, does not match."""
    assert matches(drop=["read"], scope=["place"])
    assert not matches(drop=["read"], scope=["read"])
    assert not matches(drop=["read"])


@pytest.mark.parametrize(
    ("change", "member", "value"),
    [
        ("total=1", "total", {"minor": 501, "currency": "EUR"}),
        ("total=1", "total", {"minor": 100, "currency": "USD"}),
        ("total=1", "total", {"minor": 100}),
        ("total=1", "count", 1),
        ("count=1", "count", 3),
        ("count=1", "count", 4),
        ("count=1", "count", True),
        ("total=1", "total", {"minor": 200, "currency": "EUR"}),
        ("total=1.000", "total", {"minor": 100, "currency": "EUR"}),
        ("count=1", "count", 2),
        ("lines=1", "lines", [{"price": 2}]),
        ("by=2026-11-25T10:00:00+00:00", "by", "2026-11-25T10:00:01+00:00"),
        ("by=2026-11-26T10:00:00+00:00", "by", "2026-11-26T10:00:00+00:00"),
        ("by=soon", "by", "soon"),
        ("dry=yes", "dry", None),
        ("lines=1", "lines", [{"price": 3}]),
        ("lines=1", "lines", [{"price": 1}] * 2),
        ("note=1", "note", 1),
        ("nothing=1", "count", 1),
        ("lines.x.price=1", "count", 3),
        ("lines.9.price=1", "count", 3),
    ],
)
def test_an_unproposed_or_larger_change_is_detected(change, member, value):
    """A change to a different fact, or to one that does not exist, is rejected too."""
    assert not matches(change, authorization_details=details(**{member: value}))


@pytest.mark.parametrize(
    "granted",
    [{"agent": "other"}, {"token_seconds": 5}, {"authorization_details": []}, {"salt": "x"}],
)
def test_a_text_of_another_action_is_detected(granted):
    """A granted text matches only if every member outside the proposal is unchanged."""
    assert not matches("count=1", **granted)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null"])
def test_an_invalid_text_is_detected(text):
    """A text that is not a valid action does not match the narrowing."""
    assert not matches_narrowing(Narrowing(drop_scopes=("read",)), json.dumps(ACTION), text)
