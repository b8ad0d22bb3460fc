"""The contents of introspection responses."""

import pytest

from server.protocol.tokens import introspection

CLAIMS = {"sub": "u", "aud": "https://pay", "jti": "t", "exp": 2, "secret": "x", "scope": "a b"}


def test_a_response_has_exactly_the_listed_claims_of_the_token():
    """RFC 7662 2.2: other claims, and members without a value, are omitted."""
    answer = introspection.active_response(CLAIMS, username="ana", agent="bot", owners=["eva"])
    assert answer == {
        "active": True,
        "sub": "u",
        "aud": "https://pay",
        "jti": "t",
        "exp": 2,
        "scope": "a b",
        "token_type": "Bearer",
        "username": "ana",
        "agent": {"name": "bot", "owners": ["eva"]},
    }


def test_missing_users_and_agents_are_omitted():
    """A token of an app has no agent, and an agent's own token has no user."""
    answer = introspection.active_response(CLAIMS, username=None, agent=None, owners=[])
    assert not {"username", "agent"} & set(answer)


def test_a_bound_token_has_type_dpop():
    """IN-15: the response of a bound token also has the thumbprint of its key."""
    bound = {**CLAIMS, "cnf": {"jkt": "k"}}
    answer = introspection.active_response(bound, username=None, agent=None, owners=[])
    assert (answer["token_type"], answer["cnf"]) == ("DPoP", {"jkt": "k"})


@pytest.mark.parametrize(
    ("accept", "signed"),
    [
        ("application/token-introspection+jwt", True),
        (" Application/Token-Introspection+JWT ", True),
        ("application/token-introspection+jwt;q=1.0, application/json;q=0.5", True),
        ("application/json, application/token-introspection+jwt", False),
        ("application/json", False),
        ("*/*", False),
        ("", False),
        (None, False),
    ],
)
def test_a_signed_response_is_requested_by_its_media_type(accept, signed):
    """IN-19: no other media type, and no wildcard, requests a signed response."""
    assert introspection.wants_jwt(accept) is signed


def test_a_signed_response_is_for_its_caller():
    """RFC 9701 5: the audience of a signed response is the caller."""
    assert introspection.signed_claims("https://as", "c", 1_999, {"active": False}) == {
        "iss": "https://as",
        "aud": "c",
        "iat": 1,
        "token_introspection": {"active": False},
    }
