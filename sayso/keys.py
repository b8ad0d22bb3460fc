"""An agent's private keys: reading them, and signing with them.

Owns: the algorithm of a key, and the key for DPoP proofs. Never: keys of other parties.
"""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

_PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
KeySource = str | bytes | Mapping[str, Any] | _PrivateKey
"""A private key: PEM text, a JWK (as a dict or JSON text), or a key of `cryptography`."""

_HELP: Final = (
    "key must be a private key: PEM text, a JWK with its private member, or a key of the "
    "cryptography package (P-256, Ed25519 or RSA)."
)
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_LABEL: Final = b"sayso dpop key\n"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its JWS algorithm and, if known, its key ID."""

    private: _PrivateKey
    alg: str
    kid: str | None = None

    def sign(self, claims: Mapping[str, object]) -> str:
        """Return a compact JWS of these claims."""
        header = {} if self.kid is None else {"kid": self.kid}
        return jwt.encode(dict(claims), self.private, self.alg, headers=header)

    def seed(self) -> bytes:
        """Return bytes that only the holder of this key has, the same each time."""
        return self.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def read_key(source: KeySource) -> SigningKey:
    """Read a private key. Raises ValueError, which lists the accepted forms."""
    if isinstance(source, str) and source.lstrip().startswith("{"):
        try:
            source = json.loads(source)
        except ValueError as error:
            raise ValueError(_HELP) from error
    if isinstance(source, Mapping):
        return _from_jwk(source)
    if isinstance(source, str | bytes):
        pem = source.encode() if isinstance(source, str) else source
        try:
            source = load_pem_private_key(pem, None)  # type: ignore[assignment]  # checked below
        except (ValueError, TypeError) as error:
            raise ValueError(_HELP) from error
    return _with_algorithm(source)


def dpop_key(seed: bytes) -> ec.EllipticCurvePrivateKey:
    """Return the P-256 key of an agent's DPoP proofs, derived from its credential.

    The same credential gives the same key, so an agent that was restarted can still use its tokens
    and fetch a response that was lost. This key must not be used for any other purpose.
    """
    wide_digest = hashlib.shake_256(_LABEL + seed).digest(48)
    number = int.from_bytes(wide_digest, "big") % (_P256_ORDER - 1) + 1
    return ec.derive_private_key(number, ec.SECP256R1())


def b64(raw: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def json_of(encoded: str) -> Any:  # noqa: ANN401  # any JSON
    """Return the JSON in base64url without padding. Raises ValueError."""
    return json.loads(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Return the thumbprint of an elliptic-curve key (RFC 7638)."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return b64(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def _from_jwk(jwk: Mapping[str, Any]) -> SigningKey:
    try:
        key = jwt.PyJWK({name: value for name, value in jwk.items() if name != "alg"}).key
    except (jwt.PyJWTError, ValueError, KeyError) as error:
        raise ValueError(_HELP) from error
    signing_key = _with_algorithm(key)
    kid = jwk.get("kid")
    alg = "PS256" if (signing_key.alg, jwk.get("alg")) == ("RS256", "PS256") else signing_key.alg
    return SigningKey(signing_key.private, alg, kid if isinstance(kid, str) else None)


def _with_algorithm(key: object) -> SigningKey:
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1":
        return SigningKey(key, "ES256")
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return SigningKey(key, "EdDSA")
    if isinstance(key, rsa.RSAPrivateKey):
        return SigningKey(key, "RS256")
    raise ValueError(_HELP)
