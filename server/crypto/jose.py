"""Signing and checking JWTs: the only user of PyJWT.

The algorithm is that of the registered key, never the header's word. Keys come from our tables or,
for a DPoP proof, from the proof that they must then prove; `jku`, `x5u`, `x5c` and `crit` are
refused with every header member that the kind of token does not have. What the claims must say is
decided by `server.protocol` and `server.services`, on the claims that come out of here.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from server.model.ports import BadToken, Secrets
from server.model.tokens import SigningKey
from server.protocol import base64url, errors, json_text, names
from server.protocol.approvals import decisions
from server.protocol.tokens import dpop

_JWS = jwt.PyJWS()
_JWS.register_algorithm(names.ED25519, jwt.get_algorithm_by_name("EdDSA"))
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_KEY_ALGS = {"EC": "ES256", "OKP": "EdDSA", "RSA": "RS256"}
_OTHER_NAMES = {names.ED25519: "EdDSA"}
"""RFC 9864 names the curve too; which curve it is, the registered key says all the same."""
_SIGNING_HEADER = frozenset({"alg", "typ", "kid"})
_MOST_TEXT = 64 * 1024
_RSA_BITS = 2048
_MOST_SEEN = 2_000
"""Tokens of ours that are remembered, some two kilobytes each."""
_REQUEST_TYPES = frozenset({"", "jwt", "oauth-authz-req+jwt"})
_OLD_ASSERTION_TYPES = frozenset({"", "jwt", "client-authentication+jwt"})


class JwtSigner:
    """The port `Signer`. Private keys are opened once per process and kept in memory."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._opened: dict[str, PrivateKeyTypes] = {}
        self._headers: dict[tuple[str, str], str] = {}

    def sign(
        self, keys: Sequence[SigningKey], alg: str, typ: str, claims: Mapping[str, object]
    ) -> str:
        """A compact JWS by the active key of this algorithm. Raises LookupError without one."""
        key = next((k for k in keys if k.alg == alg and k.state == "active"), None)
        if key is None:
            raise LookupError(f"no active key for {alg}")
        signed = f"{self._header(key, typ)}.{base64url.encode(json_text.compact(claims).encode())}"
        signature = _JWS.get_algorithm_by_name(alg).sign(signed.encode(), self._open(key))
        return f"{signed}.{base64url.encode(signature)}"

    def _header(self, key: SigningKey, typ: str) -> str:
        """The first part of the tokens of one key and kind; it is the same in all of them."""
        if (key.kid, typ) not in self._headers:
            header = json_text.compact({"alg": key.alg, "kid": key.kid, "typ": typ})
            self._headers[key.kid, typ] = base64url.encode(header.encode())
        return self._headers[key.kid, typ]

    def new_key(self, alg: str, now: int) -> SigningKey:
        """Make a key pair; its private half is sealed before it leaves this function."""
        private = _generate(alg)
        public = _public_jwk(alg, private)
        # A name that begins with a dash would be a flag to `sayso keys revoke`.
        kid = decisions.digest(json_text.canonical(dict(public))).lstrip("-")[:16]
        der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return SigningKey(
            kid=kid,
            alg=alg,
            public_jwk={**public, "kid": kid, "alg": alg, "use": "sig"},
            sealed=self._secrets.seal(sealed_as(kid), der),
            state="active",
            created_at=now,
            retires_at=None,
        )

    def _open(self, key: SigningKey) -> PrivateKeyTypes:
        if key.kid not in self._opened:
            der = self._secrets.open(sealed_as(key.kid), key.sealed)
            self._opened[key.kid] = load_der_private_key(der, password=None)
        return self._opened[key.kid]


@dataclass(frozen=True, slots=True)
class _Seen:
    """A token whose signature was found to be that of a key of ours, named by its thumbprint."""

    kid: str
    typ: str
    claims: Mapping[str, object]


class JwtVerifier:
    """The port `Verifier`."""

    def __init__(self) -> None:
        self._keys: dict[str, object] = {}
        self._seen: dict[str, _Seen] = {}

    def client_assertion(
        self, token: str, jwks: Sequence[Mapping[str, str]]
    ) -> tuple[str, Mapping[str, object]]:
        """The key's id and the claims of an assertion (RFC 7523 2.2). Raises `BadToken`."""
        header = _header(token)
        if str(header.get("typ", "")).lower() not in _OLD_ASSERTION_TYPES:
            raise BadToken("the assertion is another kind of token")
        for jwk in _candidates(header, jwks):
            if (payload := self._payload(token, jwk)) is not None:
                return jwk["kid"], _claims(payload)
        raise BadToken("no registered key verifies the assertion")

    def request_object(
        self, token: str, jwks: Sequence[Mapping[str, str]]
    ) -> tuple[str, str, Mapping[str, object]]:
        """Key's id, algorithm, claims of a signed request (CIBA 7.1.1). Raises `BadToken`."""
        header = _header(token)
        if str(header.get("typ", "")).lower() not in _REQUEST_TYPES:
            raise BadToken("the request is another kind of token")
        for jwk in _candidates(header, jwks):
            if (payload := self._payload(token, jwk)) is not None:
                return jwk["kid"], _alg_of(jwk), _claims(payload)
        raise BadToken("no registered key verifies the request")

    def own_token(self, token: str, typ: str, keys: Sequence[SigningKey]) -> Mapping[str, object]:
        """The claims of a token that we signed as this type. Raises `BadToken`.

        That a key of ours has signed a text stays true, so it is remembered; whether the key still
        counts is asked every time.
        """
        seen = self._seen.get(token)
        if seen is not None and seen.typ == typ and any(k.kid == seen.kid for k in keys):
            return seen.claims
        header = _header(token)
        if str(header.get("typ", "")).lower() != typ.lower():
            raise BadToken("another type of token")
        key = next((k for k in keys if k.kid == header.get("kid")), None)
        if key is None:
            raise BadToken("no such key of ours")
        payload = self._payload(token, key.public_jwk)
        if payload is None:
            raise BadToken("the signature is wrong")
        claims = MappingProxyType(_claims(payload))
        self._remember(token, _Seen(key.kid, typ, claims))
        return claims

    def _remember(self, token: str, seen: "_Seen") -> None:
        """Keep the newest; what is shown once and never again does not crowd out for long."""
        self._seen[token] = seen
        if len(self._seen) > _MOST_SEEN:
            del self._seen[next(iter(self._seen))]

    def dpop(self, token: str) -> tuple[Mapping[str, str], Mapping[str, object]]:
        """The key inside the proof and the claims it signed. Raises errors.InvalidDpopProof."""
        try:
            header = _header(token, allowed=None)
        except BadToken as error:
            raise errors.InvalidDpopProof("The proof is not a JWT.") from error
        jwk = dpop.read_proof_header(header)
        payload = self._payload(token, jwk)
        if payload is None:
            raise errors.InvalidDpopProof("The proof is not signed by the key inside it.")
        try:
            return jwk, _claims(payload)
        except BadToken as error:
            raise errors.InvalidDpopProof("The proof's claims cannot be read.") from error

    def signed_by(self, jws: str, typ: str, jwk: Mapping[str, str], kid: str) -> bytes:
        """The payload bytes of a decision or statement by exactly this key. Raises `BadToken`."""
        header = _header(jws)
        if dict(header) != {"alg": "ES256", "kid": kid, "typ": typ}:
            raise BadToken("the header is not that of this key and type")
        payload = self._payload(jws, jwk)
        if payload is None:
            raise BadToken("the signature is wrong")
        return payload

    def key_of(self, jws: str) -> str:
        """The thumbprint that a decision or statement names. Raises `BadToken`."""
        return str(_header(jws).get("kid", ""))

    def unverified_subject(self, token: str) -> str:
        """Who claims to have made this assertion. Raises `BadToken`."""
        try:
            payload = jwt.decode_complete(token, options={"verify_signature": False})["payload"]
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise BadToken("not a JWT") from error
        subject = payload.get("sub")
        if not isinstance(subject, str) or not subject.isprintable():
            raise BadToken("sub is not the name of a client")
        return subject

    def _payload(self, token: str, jwk: Mapping[str, str]) -> bytes | None:
        alg = _alg_of(jwk)
        try:
            key = self._key(jwk, alg)
            decoded = _JWS.decode_complete(token, key, _spellings(alg))  # type: ignore[arg-type]  # a key that fits its alg
        except (jwt.PyJWTError, ValueError):
            return None
        payload = decoded["payload"]
        return payload if isinstance(payload, bytes) else None

    def _key(self, jwk: Mapping[str, str], alg: str) -> object:
        """The key object, remembered for keys of ours and of agents."""
        name = json.dumps(dict(jwk), sort_keys=True)
        if name not in self._keys:
            if len(self._keys) > 1_000:  # noqa: PLR2004  # proofs bring foreign keys
                self._keys.clear()
            self._keys[name] = jwt.PyJWK(dict(jwk), algorithm=alg).key
        return self._keys[name]


def _header(token: str, allowed: frozenset[str] | None = _SIGNING_HEADER) -> Mapping[str, object]:
    if len(token) > _MOST_TEXT:
        raise BadToken("too long")
    if not _COMPACT.fullmatch(token):  # PyJWT would skip what is not base64url
        raise BadToken("not a compact JWS")
    try:
        header = json.loads(base64url.decode(token.partition(".")[0]))
    except (ValueError, RecursionError) as error:
        raise BadToken("not a JWT") from error
    if not isinstance(header, dict):
        raise BadToken("the header is no object")
    if allowed is not None and not set(header) <= allowed:
        raise BadToken("the header has members that are not used here")
    return header


def _candidates(
    header: Mapping[str, object], jwks: Sequence[Mapping[str, str]]
) -> list[Mapping[str, str]]:
    kid = header.get("kid")
    named = [jwk for jwk in jwks if kid is None or jwk.get("kid") == kid]
    return [jwk for jwk in named if header.get("alg") in _spellings(_alg_of(jwk))]


def _alg_of(jwk: Mapping[str, str]) -> str:
    """What this key signs with: its kind says so, and an RSA key may be registered for PS256."""
    kind = jwk.get("kty", "")
    return "PS256" if (kind, jwk.get("alg")) == ("RSA", "PS256") else _KEY_ALGS.get(kind, "")


def _spellings(alg: str) -> list[str]:
    return [alg, *(other for other, meant in _OTHER_NAMES.items() if meant == alg)]


def _claims(payload: bytes) -> Mapping[str, object]:
    try:
        claims = json_text.parse(payload, max_bytes=_MOST_TEXT, allow_floats=True)
    except errors.InvalidRequest as error:
        raise BadToken(error.description) from error
    if not isinstance(claims, dict):
        raise BadToken("the payload is no object")
    return claims


def sealed_as(kid: str) -> str:
    """The purpose under which a signing key is sealed."""
    return f"signing key:{kid}"


def _generate(
    alg: str,
) -> ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey:
    if alg == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if alg == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)


def _public_jwk(
    alg: str, private: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
) -> dict[str, str]:
    algorithm = jwt.get_algorithm_by_name(alg)
    jwk = algorithm.to_jwk(private.public_key(), as_dict=True)
    return {name: jwk[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in jwk}
