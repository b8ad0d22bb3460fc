"""Proof keys for code exchange."""

import pytest

from server.protocol import errors
from server.protocol.sign_in import pkce

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
"""The challenge of the verifier in RFC 7636, appendix B."""


def test_the_example_in_rfc7636_is_accepted():
    """The verifier and the challenge of RFC 7636, appendix B, match."""
    assert pkce.check_challenge(CHALLENGE, "S256") == CHALLENGE
    pkce.check_verifier(VERIFIER, CHALLENGE)


@pytest.mark.parametrize(
    ("challenge", "method"),
    [
        (None, "S256"),
        (CHALLENGE, None),
        (CHALLENGE, "plain"),
        (CHALLENGE, "s256"),
        (CHALLENGE[:-1], "S256"),
        (CHALLENGE + "a", "S256"),
        (CHALLENGE[:-1] + "+", "S256"),
        (CHALLENGE + "\n", "S256"),
    ],
)
def test_a_request_without_s256_is_refused(challenge, method):
    """BC-03, BC-05, BC-06: a challenge is required, and its method must be given as S256."""
    with pytest.raises(errors.InvalidRequest):
        pkce.check_challenge(challenge, method)


@pytest.mark.parametrize("verifier", ["", "short", VERIFIER[:-1] + "j", VERIFIER + "é", "a" * 129])
def test_a_wrong_verifier_is_invalid_grant(verifier):
    """BC-04, NG-100: a malformed verifier is refused like a wrong one."""
    with pytest.raises(errors.InvalidGrant):
        pkce.check_verifier(verifier, CHALLENGE)


def test_a_missing_verifier_is_invalid_request():
    """BC-04: a token request must have a verifier."""
    with pytest.raises(errors.InvalidRequest):
        pkce.check_verifier(None, CHALLENGE)
