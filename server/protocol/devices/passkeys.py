"""A passkey's signed word as one text, and what a browser is asked for (WebAuthn Level 3).

Owns: the text's parts, the challenge that ties them to what is said, both kinds of options. Never:
signatures (crypto), and what a passkey's word is worth (services).

A word is five parts, each base64url, joined by full stops; a JWS has three:

    credential id . payload . authenticatorData . clientDataJSON . signature

The challenge is SHA-256 of the payload as it travels, so what was signed is what is said.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

ALGORITHMS: Final = (-7, -8, -257)
"""COSE names of ES256, Ed25519 and RS256; what Windows, phones and security keys make."""
MOST_CREDENTIAL_ID: Final = 1_023
"""Bytes (WebAuthn 7.1 step 25)."""

_PARTS: Final = 5
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+")
_TIMEOUT_MS: Final = 300_000


@dataclass(frozen=True, slots=True)
class Assertion:
    """The parts of a word, decoded; nothing about them is checked yet."""

    credential: bytes
    payload: bytes
    authenticator_data: bytes
    client_data: bytes
    signature: bytes


def is_assertion(text: str) -> bool:
    """Reports whether a text has as many parts as a passkey's word."""
    return text.count(".") == _PARTS - 1


def read_assertion(text: str) -> Assertion:
    """The parts of a word. ValueError when it is none."""
    parts = text.split(".")
    if len(parts) != _PARTS:
        raise ValueError("a passkey's word has five parts")
    return Assertion(*(decoded(part) for part in parts))


def challenge(payload: bytes) -> bytes:
    """What a passkey signs to say this payload."""
    return hashlib.sha256(payload).digest()


def creation_options(
    *, rp_id: str, user: tuple[str, str], challenge_text: str, known: Sequence[bytes]
) -> dict[str, object]:
    """What a browser is told to make a passkey (5.4); `user` is the id and the name of one.

    It is kept on the authenticator, so that signing in takes no name, and tells nothing of who
    made the authenticator. `known` are passkeys beside which the same one makes no second.
    """
    user_id, name = user
    return {
        "rp": {"id": rp_id, "name": "Sayso"},
        "user": {"id": encoded(user_id.encode()), "name": name, "displayName": name},
        "challenge": encoded(challenge(challenge_text.encode())),
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in ALGORITHMS],
        "excludeCredentials": [_named(credential) for credential in known],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
        "timeout": _TIMEOUT_MS,
    }


def encoded(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Bytes from base64url in its one spelling. ValueError."""
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise ValueError("not base64url")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encoded(raw) != text:
        raise ValueError("not base64url in its one spelling")
    return raw


def _named(credential: bytes) -> dict[str, str]:
    return {"type": "public-key", "id": encoded(credential)}
