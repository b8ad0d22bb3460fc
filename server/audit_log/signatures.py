"""The user signatures in the log: a compact JWS from a terminal, or a passkey's assertion.

Owns: reading them and verifying them with a key in the log.
Never: deciding what a signature allows.

An assertion (WebAuthn) has five parts: credential id, payload, authenticator data, client data and
signature. Its challenge is the hash of the payload.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

Members: TypeAlias = Mapping[str, Any]
PublicKey: TypeAlias = Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey
_JWS_PARTS: Final = 3
_COORDINATE: Final = 32
_ES256: Final = bytes.fromhex("a5010203262001215820"), bytes.fromhex("225820")
"""The bytes around the coordinates of a key in COSE (RFC 9053), in the order that CTAP uses."""
_ED25519: Final = bytes.fromhex("a4010103272006215820")
_RS256: Final = bytes.fromhex("a401030339010020590100"), bytes.fromhex("2143010001")


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed payload with its signature."""

    payload: Members
    text: bytes
    """The bytes that were signed."""
    signature: bytes
    kid: str | None
    """The ID of the key; None for a passkey, because a device has only one."""

    def is_by(self, key: PublicKey) -> bool:
        """Return whether this key made the signature."""
        try:
            if isinstance(key, Ed25519PublicKey):
                key.verify(self.signature, self.text)
            elif isinstance(key, rsa.RSAPublicKey):
                key.verify(self.signature, self.text, padding.PKCS1v15(), SHA256())
            else:
                key.verify(self._der, self.text, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True

    @property
    def _der(self) -> bytes:
        """The ECDSA signature in DER, which passkeys use. A JWS has two numbers (RFC 7518 3.4)."""
        if self.kid is None:
            return self.signature
        r, s = self.signature[:_COORDINATE], self.signature[_COORDINATE:]
        return encode_dss_signature(int.from_bytes(r), int.from_bytes(s))


def read(text: str) -> Signed | None:
    """Read a signature; None if it is neither a JWS nor an assertion."""
    parts = text.split(".")
    try:
        return _read_jws(*parts) if len(parts) == _JWS_PARTS else _read_assertion(*parts)
    except (ValueError, TypeError, AttributeError, KeyError):
        return None


def of_jwk(key: Members) -> PublicKey | None:
    """Read a terminal's public key (RFC 7517); None for other kinds of keys."""
    try:
        if key["kty"] == "OKP":
            return Ed25519PublicKey.from_public_bytes(_decode(key["x"]))
        return _p256_key(_decode(key["x"]), _decode(key["y"]))
    except (KeyError, ValueError, TypeError):
        return None


def of_passkey(text: str) -> PublicKey | None:
    """Read a passkey's public key (COSE, base64url); None for other kinds of keys."""
    try:
        return _read_cose(_decode(text))
    except ValueError:
        return None


def _read_cose(key: bytes) -> PublicKey | None:
    if key.startswith(_ED25519):
        return Ed25519PublicKey.from_public_bytes(key[len(_ED25519) :])
    prefix, suffix = _RS256
    if key.startswith(prefix) and key.endswith(suffix):
        modulus = int.from_bytes(key[len(prefix) : -len(suffix)])
        return rsa.RSAPublicNumbers(int.from_bytes(suffix[-3:]), modulus).public_key()
    prefix, separator = _ES256
    x, y = key[len(prefix) : len(prefix) + _COORDINATE], key[-_COORDINATE:]
    if key != prefix + x + separator + y:
        return None
    return _p256_key(x, y)


def _p256_key(x: bytes, y: bytes) -> ec.EllipticCurvePublicKey:
    numbers = int.from_bytes(x), int.from_bytes(y)
    return ec.EllipticCurvePublicNumbers(*numbers, ec.SECP256R1()).public_key()


def _read_jws(head: str, body: str, signature: str) -> Signed:
    kid = json.loads(_decode(head)).get("kid")
    text = f"{head}.{body}".encode()
    return Signed(json.loads(_decode(body)), text, _decode(signature), str(kid))


def _read_assertion(_credential: str, body: str, data: str, client: str, signature: str) -> Signed:
    payload, client_data = _decode(body), _decode(client)
    collected = json.loads(client_data)
    if collected["type"] != "webauthn.get":
        raise ValueError
    if _decode(collected["challenge"]) != hashlib.sha256(payload).digest():
        raise ValueError
    text = _decode(data) + hashlib.sha256(client_data).digest()
    return Signed(json.loads(payload), text, _decode(signature), None)


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
