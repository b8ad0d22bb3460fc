"""Parsing and splitting scope lists."""

import pytest

from server.protocol import errors
from server.protocol.resources import scopes


def test_a_scope_list_is_deduplicated_and_sorted():
    """The order and repetition of scopes have no meaning (RFC 6749 3.3)."""
    assert scopes.parse("b a b openid") == ("a", "b", "openid")
    assert scopes.text(("a", "b")) == "a b"


@pytest.mark.parametrize("text", ["", " ", "a  b", "a\tb", 'a"b', "a\\b", "ä", "a b ", "x" * 129])
def test_a_malformed_scope_list_is_invalid_scope(text):
    """Names are separated by one space and have only the characters of RFC 6749."""
    with pytest.raises(errors.InvalidScope):
        scopes.parse(text)


def test_too_many_scopes_are_refused():
    """A request may have at most 64 scopes, because nobody reads more."""
    with pytest.raises(errors.InvalidScope):
        scopes.parse(" ".join(f"s{n}" for n in range(65)))


def test_openid_scopes_are_separated():
    """OpenID scopes are about the user, not about a resource."""
    assert scopes.split(("email", "openid", "pay")) == (("email", "openid"), ("pay",))
    assert scopes.is_scope("pay:all")
    assert not scopes.is_scope("pay all")


@pytest.mark.parametrize(
    ("names", "alone"), [((), False), (("openid",), True), (("openid", "pay"), False)]
)
def test_openid_scopes_alone_are_about_the_user(names, alone):
    """A list is about the user only if it has scopes, and all of them are OpenID scopes."""
    assert scopes.about_person(names) is alone
