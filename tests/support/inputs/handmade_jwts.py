"""JWTs of every kind that a client could send: with a valid, an invalid or no signature.

Owns: keys of agents for the supported algorithms, their assertions, tokens assembled by hand.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.protocol.names import ASSERTION_TYPE

_JWS = jwt.PyJWS()
_JWS.register_algorithm("Ed25519", jwt.get_algorithm_by_name("EdDSA"))


@dataclass(frozen=True, slots=True)
class Key:
    """A key pair for one algorithm, with a kid."""

    alg: str
    private: Any
    kid: str

    @property
    def jwk(self) -> dict[str, Any]:
        """Return the public key as a JWK."""
        public = _algorithm(self.alg).to_jwk(self.private.public_key(), as_dict=True)
        return {**public, "kid": self.kid, "alg": self.alg, "use": "sig"}

    @property
    def private_jwk(self) -> dict[str, Any]:
        """Return the key pair as a JWK, for a client that signs itself."""
        whole = _algorithm(self.alg).to_jwk(self.private, as_dict=True)
        return {**whole, "kid": self.kid, "alg": self.alg}

    @property
    def pem(self) -> bytes:
        """Return the public key as PEM, which an attacker could use as an HMAC secret."""
        public = self.private.public_key()
        pem: bytes = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return pem

    def sign(self, claims: Any, **header: Any) -> str:
        """Return a compact JWS over any JSON; `header` adds or replaces header members."""
        payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
        full_header = {"kid": self.kid, **header}
        headers = {name: value for name, value in full_header.items() if value is not None}
        return _JWS.encode(payload, self.private, algorithm=self.alg, headers=headers)


def new_key(alg: str, kid: str = "") -> Key:
    """Return a new key pair; RSA keys are made once for each kid."""
    kid = kid or f"{alg}-1"
    if alg == "ES256":
        return Key(alg, ec.generate_private_key(ec.SECP256R1()), kid)
    if alg in {"EdDSA", "Ed25519"}:
        return Key(alg, ed25519.Ed25519PrivateKey.generate(), kid)
    return Key(alg, _rsa(kid), kid)


def _algorithm(alg: str) -> Any:
    return jwt.get_algorithm_by_name("EdDSA" if alg == "Ed25519" else alg)


def make_jwt(header: Mapping[str, Any], claims: Any, signature: bytes = b"") -> str:
    """Return a token with any header and any signature."""
    return f"{_signing_input(header, claims)}.{_b64(signature)}"


def hmac_jwt(header: Mapping[str, Any], claims: Any, secret: bytes) -> str:
    """Return a token signed with HMAC."""
    text = _signing_input(header, claims)
    return f"{text}.{_b64(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def assertion_claims(client_id: str, audience: Any, now: int, **changes: Any) -> dict[str, Any]:
    """Return the claims of a valid assertion; `changes` replace members, None removes one."""
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": secrets.token_urlsafe(16),
        "iat": now // 1000,
        "exp": now // 1000 + 60,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def request_claims(client_id: str, audience: Any, now: int, /, **changes: Any) -> dict[str, Any]:
    """Return the claims of a valid request object; `changes` add parameters, None removes one."""
    claims = {
        "iss": client_id,
        "aud": audience,
        "jti": secrets.token_urlsafe(16),
        "iat": now // 1000,
        "nbf": now // 1000,
        "exp": now // 1000 + 300,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def assertion_form(assertion: str) -> dict[str, str]:
    """Return the two form parameters for an assertion."""
    return {"client_assertion": assertion, "client_assertion_type": ASSERTION_TYPE}


def _signing_input(header: Mapping[str, Any], claims: Any) -> str:
    return f"{_b64(json.dumps(dict(header)).encode())}.{_b64(json.dumps(claims).encode())}"


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@cache
def _rsa(kid: str) -> rsa.RSAPrivateKey:
    del kid  # only the key of the cache
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
