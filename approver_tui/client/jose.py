"""Compact JWS with ES256, and the texts that this device signs.

Owns: keys as JWK, thumbprints (RFC 7638), DPoP proofs (RFC 9449), decisions and statements. Never:
which key may sign what; `decisions.py` decides that.
"""

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import rfc8785
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

_COORDINATE_BYTES = 32
DECISION = "sayso-decision+jws"
STATEMENT = "sayso-statement+jws"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A P-256 private key."""

    private: ec.EllipticCurvePrivateKey

    @classmethod
    def generate(cls) -> Self:
        """Return a new key."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_scalar(cls, scalar: bytes) -> Self:
        """Return the key with this 32-byte private value."""
        return cls(ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1()))

    @property
    def scalar(self) -> bytes:
        """The private key, 32 bytes."""
        return self.private.private_numbers().private_value.to_bytes(_COORDINATE_BYTES, "big")

    @property
    def jwk(self) -> dict[str, str]:
        """The public key as a JWK with its required members only."""
        numbers = self.private.public_key().public_numbers()
        x, y = (b64(value.to_bytes(_COORDINATE_BYTES, "big")) for value in (numbers.x, numbers.y))
        return {"crv": "P-256", "kty": "EC", "x": x, "y": y}

    @property
    def thumbprint(self) -> str:
        """The thumbprint of the public key, which identifies the key pair."""
        return thumbprint(self.jwk)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature r ‖ s (RFC 7518 3.4)."""
        r, s = decode_dss_signature(self.private.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(_COORDINATE_BYTES, "big") + s.to_bytes(_COORDINATE_BYTES, "big")


@dataclass(frozen=True, slots=True)
class Signer:
    """The device, user and server that every signed text names."""

    device: str
    user: str
    issuer: str


def signed_decision(
    key: SigningKey, signer: Signer, members: Mapping[str, str | int | None]
) -> str:
    """Sign a decision. `members` must contain every claim except the signer's."""
    return _sign_jws(key, DECISION, {**_signer_claims(signer), "granted": None, **members})


def signed_statement(
    key: SigningKey, signer: Signer, *, purpose: str, subject: str, at: int, nonce: str
) -> str:
    """Return a signed statement about `subject`. `at` is in seconds."""
    members = {"purpose": purpose, "subject": subject, "at": at, "nonce": nonce}
    return _sign_jws(key, STATEMENT, {**_signer_claims(signer), **members})


def dpop_proof(
    key: SigningKey, *, method: str, uri: str, at: int, access_token: str | None = None
) -> str:
    """Return a DPoP proof for one request. `uri` has no query; `at` is in seconds."""
    claims: dict[str, object] = {
        "jti": b64(secrets.token_bytes(16)),
        "htm": method,
        "htu": uri,
        "iat": at,
    }
    if access_token is not None:
        claims["ath"] = b64(hashlib.sha256(access_token.encode()).digest())
    return _compact_jws(key, {"alg": "ES256", "jwk": key.jwk, "typ": "dpop+jwt"}, claims)


def thumbprint(jwk: Mapping[str, str]) -> str:
    """Return the RFC 7638 thumbprint of a public EC key."""
    required = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return b64(hashlib.sha256(rfc8785.dumps(dict[str, str | int](required))).digest())


def b64(raw: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Return the bytes of base64url without padding. Raises ValueError."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _signer_claims(signer: Signer) -> dict[str, object]:
    return {"iss": signer.device, "sub": signer.user, "aud": signer.issuer}


def _sign_jws(key: SigningKey, kind: str, payload: Mapping[str, object]) -> str:
    return _compact_jws(key, {"alg": "ES256", "kid": key.thumbprint, "typ": kind}, payload)


def _compact_jws(
    key: SigningKey, header: Mapping[str, object], payload: Mapping[str, object]
) -> str:
    parts = (b64(rfc8785.dumps(dict(part))) for part in (header, payload))  # type: ignore[arg-type]  # members of JSON
    signing_input = ".".join(parts)
    return f"{signing_input}.{b64(key.sign(signing_input.encode()))}"
