"""A text that grants less is signed only if it is the wish and nothing else."""

import json

import pytest

from approver_tui.state.approvals.narrowing import NarrowedFact, Narrowing, is_exactly, read_change

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


def only(*changes, drop=(), **granted):
    """Whether a text with these members is only the wish."""
    wish = Narrowing(tuple(map(read_change, changes)), tuple(drop))
    return is_exactly(wish, json.dumps(ACTION), json.dumps({**ACTION, **granted}))


def details(**members):
    """The order with other members."""
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
def test_a_smaller_fact_is_named_on_a_command_line(text, change):
    """By its name or its JSON pointer, in the object of that number."""
    assert read_change(text) == change


@pytest.mark.parametrize(
    "text", ["amount", "=500", "0:amount=1", "x:amount=1", ":amount=1", "1:=5"]
)
def test_what_names_no_fact_is_refused(text):
    """With the form that is meant."""
    with pytest.raises(ValueError, match="FACT=VALUE"):
        read_change(text)


def test_a_wish_for_nothing_is_none():
    """So that a plain yes stays one."""
    assert not Narrowing()
    assert Narrowing(drop_scopes=("read",))
    assert Narrowing(token_seconds=60)


@pytest.mark.parametrize(
    ("wished", "granted", "is_it"),
    [(60, 60, True), (60, 61, False), (60, None, False), (None, 60, False), (1, True, False)],
)
def test_the_life_of_the_token_is_the_one_that_was_wished(wished, granted, is_it):
    """To the second, and only where one was."""
    members = {} if granted is None else {"token_seconds": granted}
    text = json.dumps({**ACTION, **members})
    assert is_exactly(Narrowing(token_seconds=wished), json.dumps(ACTION), text) is is_it


@pytest.mark.parametrize(
    ("change", "member", "value"),
    [
        ("total=1", "total", {"minor": 100, "currency": "EUR"}),
        ("count=0", "count", 0),
        ("by=2026", "by", "2026-11-25T10:00:00+00:00"),
        ("dry=yes", "dry", True),
        ("/a~1b=1", "a/b", 1),
        ("lines=2", "lines", [{"price": 2}]),
        ("lines.1.price=1", "lines", [{"price": 1}, {"price": 1}]),
    ],
)
def test_what_was_wished_is_less(change, member, value):
    """The fact that was named, and smaller."""
    assert only(change, authorization_details=details(**{member: value}))


def test_scopes_are_left_out_as_wished():
    """Those and no others."""
    assert only(drop=["read"], scope=["place"])
    assert not only(drop=["read"], scope=["read"])
    assert not only(drop=["read"])


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
        ("by=2026", "by", "2026-11-26T10:00:00+00:00"),
        ("by=2026", "by", "soon"),
        ("dry=yes", "dry", None),
        ("lines=1", "lines", [{"price": 3}]),
        ("lines=1", "lines", [{"price": 1}] * 2),
        ("note=1", "note", 1),
        ("nothing=1", "count", 1),
        ("lines.x.price=1", "count", 3),
        ("lines.9.price=1", "count", 3),
    ],
)
def test_what_was_not_wished_or_is_not_less_is_found_out(change, member, value):
    """More of it, another fact, or a place that is not there."""
    assert not only(change, authorization_details=details(**{member: value}))


@pytest.mark.parametrize(
    "granted",
    [{"agent": "other"}, {"token_seconds": 5}, {"authorization_details": []}, {"salt": "x"}],
)
def test_a_text_of_something_else_is_found_out(granted):
    """Member by member."""
    assert not only("count=1", **granted)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null"])
def test_what_is_no_grant_is_found_out(text):
    """Whatever the server sent."""
    assert not is_exactly(Narrowing(drop_scopes=("read",)), json.dumps(ACTION), text)
