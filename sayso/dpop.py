"""DPoP proofs (RFC 9449): made by agents, checked by APIs.

Owns: the header and the claims of a proof, and which ones were used. Never: access tokens.
"""

import hashlib
import secrets
import time
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from sayso import clock
from sayso.keys import b64, json_of, thumbprint

MAX_AGE: Final = 60
"""The number of seconds for which a proof is valid."""
MAX_AHEAD: Final = 5
"""How many seconds a client's clock may be ahead."""
_MAX_CHARACTERS: Final = 4_096
_COORDINATE_BYTES: Final = 32


class BadProof(Exception):
    """An invalid proof; the message says why and what to do."""


class ProofKey:
    """The private key of a client's proofs, and the next nonce for each server."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private
        numbers = private.public_key().public_numbers()
        x, y = (b64(number.to_bytes(_COORDINATE_BYTES, "big")) for number in (numbers.x, numbers.y))
        self._jwk = {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        self._nonces: dict[str, str] = {}

    def proof(self, method: str, url: str, access_token: str | None = None) -> str:
        """Return a new proof for one request, bound to the access token if there is one."""
        claims: dict[str, object] = {
            "htm": method,
            "htu": url.partition("#")[0].partition("?")[0],
            "iat": clock.now(),
            "jti": secrets.token_urlsafe(24),
        }
        if access_token is not None:
            claims["ath"] = b64(hashlib.sha256(access_token.encode()).digest())
        if (nonce := self.nonce(url)) is not None:
            claims["nonce"] = nonce
        header = {"typ": "dpop+jwt", "jwk": self._jwk}
        return jwt.encode(claims, self._private, "ES256", headers=header)

    def nonce(self, url: str) -> str | None:
        """Return the nonce of the next proof for this server, if it has sent one."""
        return self._nonces.get(_origin(url))

    def note(self, url: str, headers: Mapping[str, str]) -> None:
        """Store a response's nonce for the next proof to that server."""
        if (nonce := headers.get("dpop-nonce")) is not None:
            self._nonces[_origin(url)] = nonce


class UsedProofs:
    """The proofs that this process accepted in the last minute."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rotated_at = time.monotonic()
        self._current: set[str] = set()
        self._previous: set[str] = set()

    def first_use(self, proof: str) -> bool:
        """Remember a proof, and return whether it is new."""
        with self._lock:
            if time.monotonic() - self._rotated_at > MAX_AGE + MAX_AHEAD:
                self._previous, self._current = self._current, set()
                self._rotated_at = time.monotonic()
            if proof in self._current or proof in self._previous:
                return False
            self._current.add(proof)
            return True


def check(proofs: Sequence[str], *, method: str, url: str, access_token: str, jkt: str) -> str:
    """Check the proof of a request with a bound token (RFC 9449 4.3, 7.1).

    Returns the key that the caller must record as used. Raises BadProof.
    """
    if len(proofs) != 1 or len(proofs[0]) > _MAX_CHARACTERS:
        raise BadProof("Send exactly one DPoP header with a signed JWT.")
    claims, jwk = _verify(proofs[0])
    if thumbprint(jwk) != jkt:
        raise BadProof("The proof must be signed with the key that the token is bound to.")
    if claims.get("htm") != method:
        raise BadProof("htm must be the method of this request.")
    if not _is_same_url(str(claims.get("htu")), url):
        raise BadProof("htu must be the URL of this request, without the query.")
    if claims.get("ath") != b64(hashlib.sha256(access_token.encode()).digest()):
        raise BadProof("ath must be the hash of the access token.")
    issued_at = claims.get("iat")
    if (
        not isinstance(issued_at, int | float)
        or not -MAX_AHEAD <= clock.now() - issued_at < MAX_AGE
    ):
        raise BadProof(
            f"iat must be within the last {MAX_AGE} seconds. Check this machine's clock."
        )
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti:
        raise BadProof("jti is missing.")
    return b64(hashlib.sha256(f"{jkt}\n{jti}".encode()).digest())


def _verify(proof: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    try:
        header = json_of(proof.partition(".")[0])
        if header["typ"] != "dpop+jwt" or "crit" in header:
            raise BadProof("The header of the proof must have typ dpop+jwt, and no crit.")
        jwk = header["jwk"]
        if header["alg"] != "ES256" or jwk.get("crv") != "P-256" or "d" in jwk:
            raise BadProof("The proof must be signed with ES256 and carry the public key.")
        options: Any = {"verify_exp": False, "verify_aud": False, "verify_iat": False}
        key = jwt.PyJWK({name: jwk[name] for name in ("kty", "crv", "x", "y")}, "ES256").key
        return jwt.decode(proof, key, ["ES256"], options), jwk
    except (
        jwt.PyJWTError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise BadProof("The DPoP header is not a valid proof.") from error


def _is_same_url(htu: str, url: str) -> bool:
    try:
        return _normalize_url(htu) == _normalize_url(url)
    except ValueError:  # htu is not a URL, for example an IPv6 host without its closing bracket
        return False


def _normalize_url(url: str) -> tuple[str, str, str]:
    """Normalize a URL as frameworks do: decoded escapes, lower-case host, no default port."""
    parts = urlsplit(url)
    default = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return parts.scheme, parts.netloc.lower().removesuffix(default), unquote(parts.path) or "/"


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])
