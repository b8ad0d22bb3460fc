"""Validates DPoP proofs (RFC 9449 4.3).

Owns: the rules for header and claims, and the comparison of URLs. Never: the signature (crypto), or
remembering used proofs (services).

A proof is valid for 60 seconds, and up to 5 seconds before its `iat`, because clocks may be ahead.
Its `jti` is remembered until it expires. A setting requires server nonces, which prevent proofs
made in advance. Nonces are derived from the time, so none are stored.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from server.protocol import errors
from server.protocol.approvals import decisions

MAX_AGE: Final = 60
"""How many seconds after `iat` a proof is valid."""

MAX_AHEAD: Final = 5
"""How many seconds `iat` may be in the future."""

NONCE_SECONDS: Final = 300
"""Nonces rotate at this interval and stay valid for one more interval."""

MAX_PROOF_CHARS: Final = 4_096
MAX_JTI_CHARS: Final = 128
ALGORITHM: Final = "ES256"

_KEY_MEMBERS = ("kty", "crv", "x", "y")
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_PORTS = {"http": 80, "https": 443}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_URI_CHARACTERS = re.compile(r"[!#-;=?-\[\]_a-z~]+")  # RFC 3986 2
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")


@dataclass(frozen=True, slots=True)
class ProofUse:
    """A use of a proof. The caller stores (key thumbprint, `jti_hash`) until `expires_at`.

    `iat` is in seconds. `expires_at` is in milliseconds; from then on, the proof is too old.
    """

    jti_hash: str
    iat: int
    expires_at: int


def one_proof(values: Sequence[str]) -> str:
    """Return the only `DPoP` header value if it looks like a signed JWT (4.3, 1 and 2)."""
    if len(values) != 1:
        raise errors.InvalidDpopProof("send exactly one DPoP header")
    (proof,) = values
    if len(proof) > MAX_PROOF_CHARS or not _COMPACT.fullmatch(proof):
        raise errors.InvalidDpopProof("the DPoP header is not one signed JWT")
    return proof


def read_proof_header(header: Mapping[str, object]) -> dict[str, str]:
    """Return the public key of a proof, which may verify only this proof's signature.

    Raises errors.InvalidDpopProof.
    """
    if header.get("typ") != "dpop+jwt":
        raise errors.InvalidDpopProof("typ must be dpop+jwt")
    if header.get("alg") != ALGORITHM:
        raise errors.InvalidDpopProof(f"alg must be {ALGORITHM}")
    jwk = header.get("jwk")
    if isinstance(jwk, Mapping) and "d" not in jwk:  # other members are ignored (RFC 7517 4)
        jwk = {name: jwk[name] for name in _KEY_MEMBERS if name in jwk}
    try:
        return decisions.check_public_jwk(jwk)
    except ValueError as error:
        raise errors.InvalidDpopProof(f"jwk: {error}") from None


def check_proof(
    claims: Mapping[str, object],
    *,
    method: str,
    url: str,
    now: int,
    access_token: str | None,
    loopback_alias: bool,
) -> ProofUse:
    """Check the claims of a proof against its request. `now` is in milliseconds.

    `access_token` is the token of the request; `ath` must be its hash. With `loopback_alias`,
    `localhost`, `127.0.0.1` and `::1` are treated as one host. Raises errors.InvalidDpopProof.
    """
    # 1. The proof is for this request (4.3, 8 and 9).
    if _read_string(claims, "htm") != method:
        raise errors.InvalidDpopProof("htm is not the method of this request")
    if not same_url(_read_string(claims, "htu"), url, loopback_alias=loopback_alias):
        raise errors.InvalidDpopProof("htu is not the URL of this request")
    # 2. It is recent (4.3, 11).
    iat = _read_issued_at(claims, now)
    # 3. It is for this access token (4.3, 12).
    if access_token is not None and _read_string(claims, "ath") != decisions.digest(access_token):
        raise errors.InvalidDpopProof("ath is not the hash of the access token")
    # 4. It has an ID, which makes replays detectable (11.1).
    jti = _read_string(claims, "jti")
    if not 1 <= len(jti) <= MAX_JTI_CHARS:
        raise errors.InvalidDpopProof(f"jti must have 1 to {MAX_JTI_CHARS} characters")
    return ProofUse(decisions.digest(jti), iat, (iat + MAX_AGE) * 1000)


def nonce_windows(now: int) -> tuple[str, str]:
    """Return the names of the current and the previous time window, for nonces (8, 9)."""
    window = now // (NONCE_SECONDS * 1000)
    return str(window), str(window - 1)


def check_nonce(claims: Mapping[str, object], nonces: Sequence[str]) -> None:
    """Raise errors.UseDpopNonce with the current nonce if the proof has no valid one (4.3, 10)."""
    if claims.get("nonce") not in nonces:
        raise errors.UseDpopNonce(nonces[0])


def same_url(first: str, second: str, *, loopback_alias: bool) -> bool:
    """Return whether two URLs are equal, ignoring query and fragment (RFC 3986 6.2.2, 6.2.3).

    A URL that is not http or https, or that contains a user, never matches.
    """
    normalized = _normalize_url(first, loopback_alias=loopback_alias)
    return normalized is not None and normalized == _normalize_url(
        second, loopback_alias=loopback_alias
    )


def _read_string(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or any("\ud800" <= c <= "\udfff" for c in value):
        raise errors.InvalidDpopProof(f"{name} is missing or not a string")
    return value


def _read_issued_at(claims: Mapping[str, object], now: int) -> int:
    value = claims.get("iat")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise errors.InvalidDpopProof("iat is missing or not a number")
    iat = int(value)  # a fraction is allowed (RFC 7519 2)
    if iat * 1000 > now + MAX_AHEAD * 1000:
        raise errors.InvalidDpopProof("iat is in the future; set the clock of this machine")
    if now >= (iat + MAX_AGE) * 1000:
        raise errors.InvalidDpopProof(f"iat is more than {MAX_AGE} seconds ago; create a new proof")
    return iat


def _normalize_url(url: str, *, loopback_alias: bool) -> tuple[str, str, int, str] | None:
    # urlsplit would silently drop tabs and line feeds.
    if not _URI_CHARACTERS.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        host = _normalize_host(parts.hostname or "")
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host or "@" in parts.netloc:
        return None
    if loopback_alias and host in _LOOPBACK:
        host = "localhost"
    return (
        parts.scheme,
        host,
        _PORTS[parts.scheme] if port is None else port,
        _normalize_path(parts.path),
    )


def _normalize_host(name: str) -> str:
    return f"[{ipaddress.IPv6Address(name).compressed}]" if ":" in name else name


def _normalize_path(path: str) -> str:
    """Normalize escapes, then dot segments (RFC 3986 6.2.2.1 to 6.2.2.3)."""
    segments: list[str] = []
    parts = _ESCAPE.sub(_unescape, path or "/").split("/")[1:]
    for segment in parts:
        if segment == "..":
            del segments[-1:]
        elif segment != ".":
            segments.append(segment)
    if parts[-1] in {".", ".."}:
        segments.append("")
    return "/" + "/".join(segments)


def _unescape(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if _UNRESERVED.fullmatch(character) else escape[0].upper()
