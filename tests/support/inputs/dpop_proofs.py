"""DPoP proofs of clients, put together by hand so that every part of one can be wrong."""

import base64
import hashlib
import secrets
from typing import Any

from tests.support.inputs.handmade_jwts import Key


def proof_claims(url: str, now: int, method: str = "POST", **changes: Any) -> dict[str, Any]:
    """The claims of a good proof; `changes` replace members, None takes one away."""
    claims = {
        "jti": secrets.token_urlsafe(16),
        "htm": method,
        "htu": url,
        "iat": now // 1000,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def proof(key: Key, url: str, now: int, method: str = "POST", **changes: Any) -> str:
    """A proof of this key for one request; `now` in milliseconds."""
    return signed(key, proof_claims(url, now, method, **changes))


def signed(key: Key, claims: Any, **header: Any) -> str:
    """A proof with these claims; members of the header are added or changed."""
    return key.sign(claims, **{"kid": None, "typ": "dpop+jwt", "jwk": public(key), **header})


def public(key: Key) -> dict[str, Any]:
    """The members that make the key."""
    return {name: value for name, value in key.jwk.items() if name not in {"kid", "alg", "use"}}


def thumbprint(key: Key) -> str:
    """RFC 7638, with the members of an EC key in their order."""
    jwk = key.jwk
    text = (
        f'{{"crv":"{jwk["crv"]}","kty":"{jwk["kty"]}","x":"{jwk["x"]}","y":"{jwk["y"]}"}}'.encode()
    )
    return _b64(hashlib.sha256(text).digest())


def ath(token: str) -> str:
    """What a proof says of the access token that it comes with."""
    return _b64(hashlib.sha256(token.encode()).digest())


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
