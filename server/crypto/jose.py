"""Signs and verifies JWTs. The only user of PyJWT.

The registered key determines the algorithm, never the header. Keys come from the database or, for
a DPoP proof, from the proof itself. Headers that could choose the key or the processing (`jku`,
`x5u`, …) are rejected; other unknown headers are ignored. `server.protocol` and `server.services`
check the claims.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
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

from server.model.ports import BadClaims, BadToken, Secrets
from server.model.tokens import SigningKey
from server.protocol import base64url, errors, json_text, names
from server.protocol.approvals import decisions
from server.protocol.tokens import dpop

_JWS = jwt.PyJWS()
_JWS.register_algorithm(names.ED25519, jwt.get_algorithm_by_name("EdDSA"))
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_KEY_ALGS = {"EC": "ES256", "OKP": "EdDSA", "RSA": "RS256"}
_ALG_ALIASES = {names.ED25519: "EdDSA"}
"""RFC 9864 algorithm names, which include the curve, and the names that PyJWT uses."""
_REFUSED_HEADERS = frozenset({"crit", "jku", "jwk", "x5c", "x5u"})
"""Headers that could choose the key or the processing. Others are ignored (RFC 7515 4)."""
_MAX_TOKEN_CHARS = 64 * 1024
_RSA_BITS = 2048
_MAX_CACHED_TOKENS = 2_000
"""The maximum number of cached tokens, of about 2 kB each."""
_REQUEST_TYPES = frozenset({"", "jwt", "oauth-authz-req+jwt"})
_ASSERTION_TYPES = frozenset({"", "jwt", "client-authentication+jwt"})


class JwtSigner:
    """The adapter for the `Signer` port. Private keys are decrypted once and kept in memory."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._private_keys: dict[str, PrivateKeyTypes] = {}
        self._headers: dict[tuple[str, str], str] = {}

    def sign(
        self, keys: Sequence[SigningKey], alg: str, typ: str, claims: Mapping[str, object]
    ) -> str:
        """Sign a compact JWS with the active key of this algorithm. Raises LookupError."""
        key = next((k for k in keys if k.alg == alg and k.state == "active"), None)
        if key is None:
            raise LookupError(f"no active key for {alg}")
        signed = f"{self._header(key, typ)}.{base64url.encode(json_text.compact(claims).encode())}"
        signature = _JWS.get_algorithm_by_name(alg).sign(signed.encode(), self._open(key))
        return f"{signed}.{base64url.encode(signature)}"

    def _header(self, key: SigningKey, typ: str) -> str:
        """Return the encoded header for tokens with this key and type, from a cache."""
        if (key.kid, typ) not in self._headers:
            header = json_text.compact({"alg": key.alg, "kid": key.kid, "typ": typ})
            self._headers[key.kid, typ] = base64url.encode(header.encode())
        return self._headers[key.kid, typ]

    def new_key(self, alg: str, now: int) -> SigningKey:
        """Generate a key pair, with the private key sealed."""
        private = _generate(alg)
        public = _public_jwk(alg, private)
        # `sayso keys revoke` would parse a kid with a leading dash as an option.
        kid = decisions.digest(json_text.canonical(dict(public))).lstrip("-")[:16]
        der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return SigningKey(
            kid=kid,
            alg=alg,
            public_jwk={**public, "kid": kid, "alg": alg, "use": "sig"},
            sealed=self._secrets.seal(sealed_as(kid), der),
            state="active",
            created_at=now,
        )

    def _open(self, key: SigningKey) -> PrivateKeyTypes:
        if key.kid not in self._private_keys:
            der = self._secrets.open(sealed_as(key.kid), key.sealed)
            self._private_keys[key.kid] = load_der_private_key(der, password=None)
        return self._private_keys[key.kid]


@dataclass(frozen=True, slots=True)
class _VerifiedToken:
    """A token whose signature was verified with one of our keys."""

    kid: str
    typ: str
    claims: Mapping[str, object]


class JwtVerifier:
    """The adapter for the `Verifier` port."""

    def __init__(self) -> None:
        self._keys: dict[str, object] = {}
        self._verified: dict[str, _VerifiedToken] = {}

    def client_assertion(
        self, token: str, jwks: Sequence[Mapping[str, str]]
    ) -> tuple[str, Mapping[str, object]]:
        """Verify a client assertion (RFC 7523 2.2). Returns key ID, claims. Raises `BadToken`."""
        jwk, claims = self._verify(token, _ASSERTION_TYPES, jwks, "assertion")
        return jwk["kid"], claims

    def request_object(
        self, token: str, jwks: Sequence[Mapping[str, str]]
    ) -> tuple[str, str, Mapping[str, object]]:
        """Verify a signed request (CIBA 7.1.1). Returns kid, alg and claims. Raises `BadToken`."""
        jwk, claims = self._verify(token, _REQUEST_TYPES, jwks, "request")
        return jwk["kid"], _alg_of(jwk), claims

    def _verify(
        self, token: str, types: Collection[str], jwks: Sequence[Mapping[str, str]], noun: str
    ) -> tuple[Mapping[str, str], Mapping[str, object]]:
        """Verify a token of these types with one of these keys. Returns the key and the claims."""
        header = _header(token)
        if _type_of(header) not in types:
            raise BadToken(f"the {noun} is another kind of token")
        for jwk in _candidates(header, jwks):
            if (payload := self._payload(token, jwk)) is not None:
                return jwk, _claims(payload)
        raise BadToken(f"no registered key verifies the {noun}")

    def own_token(self, token: str, typ: str, keys: Sequence[SigningKey]) -> Mapping[str, object]:
        """Verify a token of this type with our keys. Returns its claims. Raises `BadToken`.

        Verified signatures are cached. Whether the key is still valid is checked every time.
        """
        cached = self._verified.get(token)
        if cached is not None and cached.typ == typ and any(k.kid == cached.kid for k in keys):
            return cached.claims
        header = _header(token)
        if _type_of(header) != typ.lower():
            raise BadToken("another type of token")
        key = next((k for k in keys if k.kid == header.get("kid")), None)
        if key is None:
            raise BadToken("unknown key")
        payload = self._payload(token, key.public_jwk)
        if payload is None:
            raise BadToken("the signature is wrong")
        claims = MappingProxyType(_claims(payload))
        self._cache(token, _VerifiedToken(key.kid, typ, claims))
        return claims

    def _cache(self, token: str, verified: "_VerifiedToken") -> None:
        """Cache a verified token, and drop the oldest one if there are too many."""
        self._verified[token] = verified
        if len(self._verified) > _MAX_CACHED_TOKENS:
            del self._verified[next(iter(self._verified))]

    def dpop(self, token: str) -> tuple[Mapping[str, str], Mapping[str, object]]:
        """Verify a DPoP proof. Returns its key and claims. Raises errors.InvalidDpopProof."""
        try:
            header = _header(token, refused=_REFUSED_HEADERS - {"jwk"})
        except BadToken as error:
            raise errors.InvalidDpopProof(f"The proof is refused: {error}.") from error
        jwk = dpop.read_proof_header(header)
        payload = self._payload(token, jwk)
        if payload is None:
            raise errors.InvalidDpopProof("The proof is not signed by its own key.")
        try:
            return jwk, _claims(payload)
        except BadToken as error:
            raise errors.InvalidDpopProof("The claims of the proof are invalid.") from error

    def verify_signed_payload(self, jws: str, typ: str, jwk: Mapping[str, str], kid: str) -> bytes:
        """Verify a decision or statement with this key. Returns the payload. Raises `BadToken`."""
        header = _header(jws)
        if dict(header) != {"alg": "ES256", "kid": kid, "typ": typ}:
            raise BadToken("unexpected header: key or type does not match")
        payload = self._payload(jws, jwk)
        if payload is None:
            raise BadToken("the signature is wrong")
        return payload

    def key_of(self, jws: str) -> str:
        """Return the key ID in the header of a decision or statement. Raises `BadToken`."""
        return str(_header(jws).get("kid", ""))

    def unverified_subject(self, token: str) -> str:
        """Return the `sub` claim of an unverified assertion. Raises `BadToken`."""
        try:
            payload = jwt.decode_complete(token, options={"verify_signature": False})["payload"]
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise BadToken("not a JWT") from error
        subject = payload.get("sub")
        if not isinstance(subject, str) or not subject.isprintable():
            raise BadToken("sub is not a client_id")
        return subject

    def _payload(self, token: str, jwk: Mapping[str, str]) -> bytes | None:
        alg = _alg_of(jwk)
        try:
            key = self._key(jwk, alg)
            decoded = _JWS.decode_complete(token, key, _alg_names(alg))  # type: ignore[arg-type]  # a key of this alg
        except (jwt.PyJWTError, ValueError):
            return None
        payload = decoded["payload"]
        return payload if isinstance(payload, bytes) else None

    def _key(self, jwk: Mapping[str, str], alg: str) -> object:
        """Return the key object, from a cache."""
        name = json.dumps(dict(jwk), sort_keys=True)
        if name not in self._keys:
            if len(self._keys) > 1_000:  # noqa: PLR2004  # proofs have arbitrary keys
                self._keys.clear()
            self._keys[name] = jwt.PyJWK(dict(jwk), algorithm=alg).key
        return self._keys[name]


def _header(token: str, refused: frozenset[str] = _REFUSED_HEADERS) -> Mapping[str, object]:
    if len(token) > _MAX_TOKEN_CHARS:
        raise BadToken("too long")
    if not _COMPACT.fullmatch(token):  # PyJWT ignores characters that are not base64url
        raise BadToken("not a compact JWS")
    try:
        header = json.loads(base64url.decode(token.partition(".")[0]))
    except (ValueError, RecursionError) as error:
        raise BadToken("not a JWT") from error
    if not isinstance(header, dict):
        raise BadToken("the header is not an object")
    if refused & header.keys():
        raise BadToken("the header has members that are not allowed")
    return header


def _type_of(header: Mapping[str, object]) -> str:
    """Return the media type of a token. The prefix `application/` is optional (RFC 7515 4.1.9)."""
    return str(header.get("typ", "")).lower().removeprefix("application/")


def _candidates(
    header: Mapping[str, object], jwks: Sequence[Mapping[str, str]]
) -> list[Mapping[str, str]]:
    kid = header.get("kid")
    matching = [jwk for jwk in jwks if kid is None or jwk.get("kid") == kid]
    return [jwk for jwk in matching if header.get("alg") in _alg_names(_alg_of(jwk))]


def _alg_of(jwk: Mapping[str, str]) -> str:
    """Return the algorithm for a key's type; an RSA key may also be registered for PS256."""
    kind = jwk.get("kty", "")
    return "PS256" if (kind, jwk.get("alg")) == ("RSA", "PS256") else _KEY_ALGS.get(kind, "")


def _alg_names(alg: str) -> list[str]:
    return [alg, *(alias for alias, name in _ALG_ALIASES.items() if name == alg)]


def _claims(payload: bytes) -> Mapping[str, object]:
    try:
        claims = json_text.parse(payload, max_bytes=_MAX_TOKEN_CHARS, allow_floats=True)
    except errors.InvalidRequest as error:
        raise BadClaims(error.description) from error
    if not isinstance(claims, dict):
        raise BadClaims("the payload is not an object")
    return claims


def sealed_as(kid: str) -> str:
    """Return the purpose under which a signing key is sealed."""
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
