"""The user signatures in the log: a compact JWS of a terminal, or a passkey's assertion.

Owns: reading them and verifying them with a key of the log.
Never: what a signature allows.

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
"""The bytes around the coordinates of a key in COSE (RFC 9053), in the order of CTAP."""
_ED25519: Final = bytes.fromhex("a4010103272006215820")
_RS256: Final = bytes.fromhex("a401030339010020590100"), bytes.fromhex("2143010001")


@dataclass(frozen=True, slots=True)
class Signed:
    """What a person signed."""

    payload: Members
    text: bytes
    """The bytes under the signature."""
    signature: bytes
    kid: str | None
    """The id of the key; None for a passkey, of which a device has one."""

    def is_by(self, key: PublicKey) -> bool:
        """Reports whether this key signed it."""
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
        """An ECDSA signature in DER, as passkeys make it. A JWS has two numbers (RFC 7518 3.4)."""
        if self.kid is None:
            return self.signature
        r, s = self.signature[:_COORDINATE], self.signature[_COORDINATE:]
        return encode_dss_signature(int.from_bytes(r), int.from_bytes(s))


def read(text: str) -> Signed | None:
    """Read a signature; None if it is neither of the two."""
    parts = text.split(".")
    try:
        return _jws(*parts) if len(parts) == _JWS_PARTS else _assertion(*parts)
    except (ValueError, TypeError, AttributeError, KeyError):
        return None


def of_jwk(key: Members) -> PublicKey | None:
    """A terminal's public key (RFC 7517); None for another kind."""
    try:
        if key["kty"] == "OKP":
            return Ed25519PublicKey.from_public_bytes(_decoded(key["x"]))
        return _on_p256(_decoded(key["x"]), _decoded(key["y"]))
    except (KeyError, ValueError, TypeError):
        return None


def of_passkey(text: str) -> PublicKey | None:
    """A passkey's public key (COSE, base64url); None for another kind."""
    try:
        return _of_cose(_decoded(text))
    except ValueError:
        return None


def _of_cose(key: bytes) -> PublicKey | None:
    if key.startswith(_ED25519):
        return Ed25519PublicKey.from_public_bytes(key[len(_ED25519) :])
    begin, end = _RS256
    if key.startswith(begin) and key.endswith(end):
        modulus = int.from_bytes(key[len(begin) : -len(end)])
        return rsa.RSAPublicNumbers(int.from_bytes(end[-3:]), modulus).public_key()
    begin, between = _ES256
    x, y = key[len(begin) : len(begin) + _COORDINATE], key[-_COORDINATE:]
    if key != begin + x + between + y:
        return None
    return _on_p256(x, y)


def _on_p256(x: bytes, y: bytes) -> ec.EllipticCurvePublicKey:
    numbers = int.from_bytes(x), int.from_bytes(y)
    return ec.EllipticCurvePublicNumbers(*numbers, ec.SECP256R1()).public_key()


def _jws(head: str, body: str, signature: str) -> Signed:
    kid = json.loads(_decoded(head)).get("kid")
    text = f"{head}.{body}".encode()
    return Signed(json.loads(_decoded(body)), text, _decoded(signature), str(kid))


def _assertion(_credential: str, body: str, data: str, client: str, signature: str) -> Signed:
    payload, client_data = _decoded(body), _decoded(client)
    told = json.loads(client_data)
    if told["type"] != "webauthn.get":
        raise ValueError
    if _decoded(told["challenge"]) != hashlib.sha256(payload).digest():
        raise ValueError
    text = _decoded(data) + hashlib.sha256(client_data).digest()
    return Signed(json.loads(payload), text, _decoded(signature), None)


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
