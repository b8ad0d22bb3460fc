"""Passkey assertions as text, and the options for a browser (WebAuthn Level 3).

Owns: the parts of the text, the challenge, the options. Never: signatures (crypto), or what an
assertion allows (services).

An assertion is five base64url parts, joined by full stops; a JWS has three:
credential ID . payload . authenticatorData . clientDataJSON . signature
The challenge is SHA-256 of the payload, so the passkey signs the payload.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.protocol import base64url

ALGORITHMS: Final = (-7, -8, -257)
"""COSE algorithms ES256, Ed25519 and RS256, which cover all common authenticators."""
MAX_CREDENTIAL_ID: Final = 1_023
"""Bytes (WebAuthn 7.1 step 25)."""

_PARTS: Final = 5
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+")
_TIMEOUT_MS: Final = 300_000


@dataclass(frozen=True, slots=True)
class Assertion:
    """The decoded parts of an assertion, not yet verified."""

    credential: bytes
    payload: bytes
    authenticator_data: bytes
    client_data: bytes
    signature: bytes


def is_assertion(text: str) -> bool:
    """Return whether a string has as many parts as an assertion."""
    return text.count(".") == _PARTS - 1


def read_assertion(text: str) -> Assertion:
    """Parse an assertion. Raises ValueError."""
    parts = text.split(".")
    if len(parts) != _PARTS:
        raise ValueError("a passkey assertion has five parts")
    return Assertion(*(decode_base64url(part) for part in parts))


def challenge(payload: bytes) -> bytes:
    """Return the challenge for this payload."""
    return hashlib.sha256(payload).digest()


def creation_options(
    *, rp_id: str, user: tuple[str, str], challenge_text: str, known: Sequence[bytes]
) -> dict[str, object]:
    """Return the options to create a passkey (5.4); `user` is an ID and a name.

    The passkey is discoverable, so sign-in needs no name. No attestation is requested. `known` are
    existing passkeys of the user, so that an authenticator does not create a second one.
    """
    user_id, name = user
    return {
        "rp": {"id": rp_id, "name": "Sayso"},
        "user": {"id": encode_base64url(user_id.encode()), "name": name, "displayName": name},
        "challenge": encode_base64url(challenge(challenge_text.encode())),
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in ALGORITHMS],
        "excludeCredentials": [
            {"type": "public-key", "id": encode_base64url(credential)} for credential in known
        ],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
        "timeout": _TIMEOUT_MS,
    }


def encode_base64url(raw: bytes) -> str:
    """Encode as base64url without padding."""
    return base64url.encode(raw)


def decode_base64url(text: str) -> bytes:
    """Decode canonical base64url. Raises ValueError."""
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise ValueError("not base64url")
    return base64url.decode(text)
