"""PKCE with S256 only (RFC 7636, RFC 9700 2.1.1)."""

import hashlib
import hmac
import re
from typing import Final

from server.protocol import base64url, errors

METHOD: Final = "S256"
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def check_challenge(challenge: str | None, method: str | None) -> str:
    """Check and return the challenge of a request. Raises errors.InvalidRequest."""
    if challenge is None:
        raise errors.InvalidRequest("code_challenge is missing; every client must use PKCE.")
    if method != METHOD:
        raise errors.InvalidRequest("code_challenge_method must be S256.")
    if not _CHALLENGE.fullmatch(challenge):
        raise errors.InvalidRequest("code_challenge must be a SHA-256 hash in base64url.")
    return challenge


def check_verifier(verifier: str | None, challenge: str) -> None:
    """Check the verifier against the challenge.

    Raises errors.InvalidRequest if it is missing, and errors.InvalidGrant if it does not match.
    """
    if verifier is None:
        raise errors.InvalidRequest("code_verifier is missing.")
    if not _VERIFIER.fullmatch(verifier):
        raise errors.InvalidGrant("code_verifier does not match the code.")
    digest = hashlib.sha256(verifier.encode()).digest()
    expected = base64url.encode(digest)
    if not hmac.compare_digest(expected, challenge):
        raise errors.InvalidGrant("code_verifier does not match the code.")
