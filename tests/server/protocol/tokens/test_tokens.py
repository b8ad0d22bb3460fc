"""The claims of issued tokens."""

import base64
import hashlib

import pytest

from server.protocol.tokens import tokens
from server.protocol.tokens.tokens import Approved, TokenContents

APPROVED = Approved("ap", "d1", "d2", single_use=True, acr="acr", amr=("swk",), auth_time=90)


def _issue(**changes):
    values = {
        "issuer": "https://as",
        "token_id": "t",
        "agent": "ag",
        "user": "us",
        "resource": "https://rs",
        "scope": "pay",
        "details": ({"type": "x"},),
        "issued_at": 100,
        "expires_at": 400,
        "approved": APPROVED,
        **changes,
    }
    return TokenContents(**values)


def test_a_delegated_token_names_user_and_agent():
    """RFC 9068 2.2, RFC 8693 4.1: `sub` is the user and `act` is the agent."""
    assert tokens.access_token_claims(_issue()) == {
        "iss": "https://as", "sub": "us", "sub_profile": "user", "aud": "https://rs",
        "client_id": "ag",
        "act": {"sub": "ag", "iss": "https://as", "sub_profile": "ai_agent"},
        "scope": "pay", "authorization_details": [{"type": "x"}],
        "jti": "t", "iat": 100, "exp": 400,
        "approval": {
            "id": "ap", "action_digest": "d1", "granted_digest": "d2", "single_use": True,
        },
        "acr": "acr", "amr": ["swk"], "auth_time": 90,
    }  # fmt: skip


def test_an_agents_own_token_has_no_actor_and_no_approval():
    """`sub` is the client, and no claim suggests that a user was involved."""
    claims = tokens.access_token_claims(_issue(user=None, approved=None, details=(), scope=""))

    assert claims["sub"] == "ag"
    assert not {
        "act",
        "approval",
        "acr",
        "amr",
        "auth_time",
        "scope",
        "authorization_details",
    } & set(claims)


@pytest.mark.parametrize(("alg", "name"), [("RS256", "sha256"), ("EdDSA", "sha512")])
def test_an_id_token_contains_the_hash_of_the_access_token(alg, name):
    """OpenID Connect Core 3.1.3.6: `at_hash` is half of a hash that depends on the algorithm."""
    claims = tokens.id_token_claims(_issue(), auth_req_id="r", access_token="at", alg=alg)
    digest = hashlib.new(name, b"at").digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()

    assert claims["at_hash"] == half
    assert claims["urn:openid:params:jwt:claim:auth_req_id"] == "r"
    assert (claims["sub"], claims["aud"], claims["auth_time"]) == ("us", "ag", 90)


def test_an_id_token_without_an_approval_has_no_authentication_claims():
    """Without an approval, nobody authenticated."""
    issue = _issue(approved=None)
    claims = tokens.id_token_claims(issue, auth_req_id="r", access_token="at", alg="ES256")

    assert not {"acr", "amr", "auth_time"} & set(claims)
