"""Claims about a user, and the requests for them."""

import json

import pytest

from server.protocol import errors
from server.protocol.users import claims
from server.protocol.users.claims import ClaimsRequest


def test_scopes_select_claims_and_requested_ones_are_added():
    """OpenID Connect Core 5.4, 5.5: an app gets the claims of its scopes and those it requests."""
    assert claims.names(("openid",), ()) == frozenset()
    assert claims.names(("openid", "profile"), ("email",)) == {
        "name",
        "preferred_username",
        "email",
    }


def test_unknown_claims_are_omitted():
    """OpenID Connect Core 5.3.2: a claim without a value is omitted, not null."""
    assert claims.select_claims({"name": "ana", "email": None, "x": 1}, {"name", "email"}) == {
        "name": "ana"
    }


def test_the_claims_parameter_names_claims_for_both_destinations():
    """Claims for the ID token and for userinfo are read; unknown claims are ignored (5.5)."""
    text = json.dumps(
        {
            "userinfo": {"email": None, "shoe_size": {"essential": True}},
            "id_token": {"name": {"essential": True}, "sub": None},
            "other": 1,
        }
    )
    assert claims.read(text) == ClaimsRequest(id_token=("name",), userinfo=("email",))
    assert claims.read(None) == claims.read("{}") == ClaimsRequest()


@pytest.mark.parametrize(
    ("acr", "essential"),
    [
        (None, None),
        ({"values": ["a"]}, None),
        ({"essential": True}, None),
        ({"essential": True, "value": "a"}, ("a",)),
        ({"essential": True, "values": ["a", "b", 1]}, ("a", "b")),
        ({"essential": True, "values": "a"}, None),
    ],
)
def test_an_essential_acr_must_be_met(acr, essential):
    """OpenID Connect Core 5.5.1.1: an `acr` that is not essential is voluntary."""
    assert claims.read(json.dumps({"id_token": {"acr": acr}})).acr == essential


@pytest.mark.parametrize(
    ("requested", "users"),
    [
        (None, None),
        ({"essential": True}, None),
        ({"value": "a"}, ("a",)),
        ({"values": ["a", "b", 1]}, ("a", "b")),
        ({"value": 1}, ()),
    ],
)
def test_a_sub_with_a_value_names_the_user(requested, users):
    """OpenID Connect Core 3.1.2.1, 5.5.1: a value that is not a string names nobody."""
    assert claims.read(json.dumps({"id_token": {"sub": requested}})).sub == users


@pytest.mark.parametrize("text", ["", "x", "[]", '{"id_token": 1}', '{"userinfo": []}'])
def test_an_invalid_claims_parameter_is_an_error(text):
    """A malformed parameter is refused, not ignored."""
    with pytest.raises(errors.InvalidRequest):
        claims.read(text)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("openid",), "your user ID"),
        (("openid", "profile"), "your user ID and your name"),
        (("email", "openid", "profile"), "your user ID, your name and your email address"),
    ],
)
def test_scopes_are_described_in_words(names, text):
    """The user reads this description before consenting."""
    assert claims.in_words(names) == text
