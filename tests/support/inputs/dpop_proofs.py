"""DPoP proofs of clients, assembled by hand so that a test can make every part wrong."""

import base64
import hashlib
import secrets
from typing import Any

from tests.support.inputs.handmade_jwts import Key


def proof_claims(url: str, now: int, method: str = "POST", **changes: Any) -> dict[str, Any]:
    """Return the claims of a valid proof; `changes` replace members, None removes one."""
    claims = {
        "jti": secrets.token_urlsafe(16),
        "htm": method,
        "htu": url,
        "iat": now // 1000,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def proof(key: Key, url: str, now: int, method: str = "POST", **changes: Any) -> str:
    """Return a proof of this key for a request; `now` is in milliseconds."""
    return sign_proof(key, proof_claims(url, now, method, **changes))


def sign_proof(key: Key, claims: Any, **header: Any) -> str:
    """Return a proof with these claims; `header` adds or replaces header members."""
    return key.sign(claims, **{"kid": None, "typ": "dpop+jwt", "jwk": public(key), **header})


def public(key: Key) -> dict[str, Any]:
    """Return the members of the public key itself."""
    return {name: value for name, value in key.jwk.items() if name not in {"kid", "alg", "use"}}


def thumbprint(key: Key) -> str:
    """Return the thumbprint of an EC key (RFC 7638)."""
    jwk = key.jwk
    text = (
        f'{{"crv":"{jwk["crv"]}","kty":"{jwk["kty"]}","x":"{jwk["x"]}","y":"{jwk["y"]}"}}'.encode()
    )
    return _b64(hashlib.sha256(text).digest())


def ath(token: str) -> str:
    """Return the `ath` claim for this access token."""
    return _b64(hashlib.sha256(token.encode()).digest())


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
