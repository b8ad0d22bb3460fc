"""The rules of an API that agents call: verify, introspect, consume. It does no HTTP itself.

Owns: the checks of RFC 9068, RFC 9449 7 and RFC 7662, and the consume endpoint of Sayso.
Never: sockets (`transport`), or the response to a rejected call (`rejection`).
"""

import hashlib
import json
import logging
import re
import secrets
import string
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

import jwt

from sayso import clock, dpop
from sayso.caller import Caller, read_caller
from sayso.credentials import Credentials
from sayso.errors import Refused, Unreachable
from sayso.issuer import Issuer, Jwks, PublicKey, split_url
from sayso.keys import json_of
from sayso.rejection import Realm, Rejected
from sayso.request_form import details_of
from sayso.transport import Flow, Reply, Send

Details = Mapping[str, Any] | Sequence[Mapping[str, Any]]
ALGORITHMS: Final = frozenset({"ES256", "EdDSA", "RS256"})
_TYPES: Final = frozenset({"at+jwt", "application/at+jwt"})
_MAX_CHARACTERS: Final = 32_768
"""Longer than any token that Sayso issues."""
_MAX_REMEMBERED: Final = 10_000
_LEEWAY: Final = 5
"""Seconds by which clocks may differ."""
_BASE64URL: Final = (string.ascii_letters + string.digits + "-_").encode()
_CLAIMS: Final = (("exp", int), ("iat", int), ("sub", str), ("jti", str), ("client_id", str))
_JWS: Final = jwt.PyJWS()
_WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
_OK: Final = 200
_FORBIDDEN: Final = 403
_MAX_ATTEMPTS: Final = 2
_LOG: Final = logging.getLogger("sayso")
_EXECUTION_ID: Final = re.compile(r"[!-~]{1,128}")


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request to the API. `url` is the public URL, without query."""

    authorization: str | None
    method: str = "GET"
    url: str = ""
    proofs: Sequence[str] = ()
    """The values of the `DPoP` header."""


@dataclass(frozen=True, slots=True)
class Consumed:
    """An approval that this execution has used up. Run the action now, once."""

    approval: str
    execution_id: str
    consumed_at: str
    """RFC 3339."""


@dataclass(frozen=True, slots=True)
class Demands:
    """How the person must have authenticated to approve an execution (RFC 9470)."""

    acr_values: Sequence[str] = ()
    max_age: int | None = None
    """Seconds."""


class Guarding:
    """One API's side of the protocol. Each method that may call Sayso is a flow."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        credentials: tuple[str, str] | None,
        introspect_every: float | None,
        url: str | None,
    ) -> None:
        if not audience:
            raise ValueError("audience is missing: the URI of `sayso resources add`.")
        if introspect_every is not None and credentials is None:
            raise ValueError(
                "introspect_every needs credentials=(client_id, client_secret): "
                "`sayso resources add` prints them."
            )
        self._issuer = Issuer(issuer)
        self._audience = audience
        self._credentials = None if credentials is None else Credentials.create(*credentials, None)
        self._introspect_every = introspect_every
        origin, prefix = _split_address("url", url) if url else _split_address("audience", audience)
        self._root = origin + prefix if url else origin
        parts = urlsplit(audience)
        self.metadata_path = _WELL_KNOWN + (parts.path.rstrip("/") if parts.netloc else "")
        query = f"?{parts.query}" if parts.query else ""
        self.realm = Realm(audience, origin + self.metadata_path + query)
        self.keys = Jwks(self._issuer, ALGORITHMS)
        self._used = dpop.UsedProofs()
        self._introspected: dict[bytes, tuple[float, Mapping[str, Any]]] = {}

    def metadata(self, scopes: Sequence[str]) -> dict[str, object]:
        """Return the protected resource metadata (RFC 9728 2)."""
        document: dict[str, object] = {
            "resource": self._audience,
            "authorization_servers": [self._issuer.url],
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": ["ES256"],
        }
        return {**document, "scopes_supported": list(scopes)} if scopes else document

    def public_url(self, path: str) -> str:
        """Return the URL of a path as clients see it, which a DPoP proof names."""
        return self._root + path

    def check(self, call: Call) -> Flow[Caller]:
        """Return the caller. Raises Rejected.

        1. The header has a token. 2. Sayso signed it as an access token for this API, and it has
        not expired. 3. A bound token comes with a new proof of its key. 4. If introspection is on,
        the token is still active.
        """
        scheme, token = self._parse_authorization(call.authorization)
        kid = _key_id(token.partition(".")[0])
        if kid is None:
            raise self.realm.invalid_token("This is not an access token (typ at+jwt).", scheme)
        key = self.keys.ready(kid)
        if key is None:
            key = yield from self._find_key(kid)
        claims = self._verify(token, key, scheme)
        self._check_binding(claims, call, scheme, token)
        if self._introspect_every is not None:
            claims = yield from self._require_active(token, claims, scheme)
        try:
            return read_caller(token, claims, scheme, self.realm)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self.realm.invalid_token(
                "The claims of the token are malformed.", scheme
            ) from error

    def consume(
        self, caller: Caller, details: Details, execution_id: str | None, demands: Demands
    ) -> Flow[Consumed]:
        """Use up the approval for exactly these details. Raises Rejected.

        The call is repeated if its response is lost; the same execution gets the same response.
        """
        if self._credentials is None:
            raise ValueError(
                "consume needs credentials=(client_id, client_secret): "
                "`sayso resources add` prints them."
            )
        if execution_id and not _EXECUTION_ID.fullmatch(execution_id):
            raise ValueError("execution_id must be 1 to 128 visible ASCII characters.")
        caller.require_approval(details)
        body: dict[str, object] = {
            "token": caller.token,
            "authorization_details": details_of(details),
            "execution_id": execution_id or secrets.token_urlsafe(24),
            "acr_values": list(demands.acr_values),
            "max_age": demands.max_age,
        }
        headers, _ = self._credentials.proof(self._issuer.url)
        url = f"{self._issuer.url}/api/approvals/consume"
        reply = yield from self._send_with_retry(Send("POST", url, headers, json=body))
        if reply.status != _OK:
            raise self._consume_error(reply, caller)
        answer = reply.body
        return Consumed(answer["approval"], answer["execution_id"], answer["consumed_at"])

    def _parse_authorization(self, authorization: str | None) -> tuple[str, str]:
        scheme, _, token = (authorization or "").partition(" ")
        scheme_name = {"bearer": "Bearer", "dpop": "DPoP"}.get(scheme.lower())
        token = token.strip()
        if scheme_name is None or not token:
            raise self.realm.unauthenticated()
        if len(token) > _MAX_CHARACTERS or not _is_compact(token):
            raise self.realm.invalid_token("This is not a signed access token.", scheme_name)
        return scheme_name, token

    def _find_key(self, kid: str) -> Flow[PublicKey | None]:
        try:
            return (yield from self.keys.find(kid))
        except Unreachable as error:
            raise self._unavailable(str(error)) from error
        except Refused as error:
            raise Misconfigured(str(error)) from error

    def _unavailable(self, reason: str) -> Rejected:
        """Return the rejection, and log the reason for the operator of the API."""
        _LOG.warning("A call was rejected with 503, because Sayso did not answer. %s", reason)
        return self.realm.unavailable()

    def _verify(self, token: str, key: PublicKey | None, scheme: str) -> Mapping[str, Any]:
        if key is None:
            raise self.realm.invalid_token("No key of the issuer signed this token.", scheme)
        try:
            claims = _read_claims(_JWS.decode(token, key.key, [key.alg]))
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise self.realm.invalid_token("The token is not valid.", scheme) from error
        if (problem := self._find_error(claims)) is not None:
            raise self.realm.invalid_token(problem, scheme)
        return claims

    def _find_error(self, claims: Mapping[str, Any]) -> str | None:
        """Return the first error in the claims of an access token (RFC 9068 2.2, 4), if any."""
        if claims.get("iss") != self._issuer.url:
            return "The token is from a different issuer."
        if _without_slash(claims.get("aud")) != _without_slash(self._audience):
            return f"The token is for another API. Get one for {self._audience}."
        now, not_before = clock.now(), claims.get("nbf", 0)
        for name, kind in _CLAIMS:
            if type(claims.get(name)) is not kind:
                return f"The token lacks {name}."
        if now >= claims["exp"] + _LEEWAY:
            return "The token has expired. Get a new one."
        if type(not_before) is not int or max(claims["iat"], not_before) > now + _LEEWAY:
            return "The token is not valid yet. Check the clock of the API."
        return None

    def _check_binding(
        self, claims: Mapping[str, Any], call: Call, scheme: str, token: str
    ) -> None:
        confirmation = claims.get("cnf")
        if confirmation is None:
            if scheme == "DPoP":
                raise self.realm.invalid_token(
                    "This token is not bound to a key. Send it as Bearer."
                )
            return
        jkt = (
            confirmation.get("jkt")
            if isinstance(confirmation, dict) and len(confirmation) == 1
            else None
        )
        if scheme != "DPoP" or not isinstance(jkt, str):
            raise self.realm.invalid_token("This token is bound to a key. Send it as DPoP.", "DPoP")
        try:
            proof_id = dpop.check(
                call.proofs, method=call.method, url=call.url, access_token=token, jkt=jkt
            )
        except dpop.BadProof as error:
            raise self.realm.invalid_proof(str(error)) from error
        if not self._used.first_use(proof_id):
            raise self.realm.invalid_proof(
                "The proof was already used. Create a new one for each call."
            )

    def _require_active(
        self, token: str, claims: Mapping[str, Any], scheme: str
    ) -> Flow[Mapping[str, Any]]:
        """Introspect the token, at most every `introspect_every` seconds, and return all claims."""
        name = hashlib.sha256(token.encode()).digest()
        cached = self._introspected.get(name)
        if cached is None or time.monotonic() >= cached[0]:
            answer = yield from self._introspect(token)
            while len(self._introspected) >= _MAX_REMEMBERED:
                del self._introspected[next(iter(self._introspected))]
            cached = time.monotonic() + (self._introspect_every or 0), answer
            self._introspected[name] = cached
        if cached[1].get("active") is not True:
            raise self.realm.invalid_token("The token is no longer active.", scheme)
        introspected_claims = {
            member: cached[1][member] for member in ("username", "agent") if member in cached[1]
        }
        return {**claims, **introspected_claims}

    def _introspect(self, token: str) -> Flow[Mapping[str, Any]]:
        if self._credentials is None:
            raise AssertionError("checked when the guard is created")
        try:
            url = yield from self._issuer.endpoint("introspection_endpoint")
        except Unreachable as error:
            raise self._unavailable(str(error)) from error
        headers, _ = self._credentials.proof(self._issuer.url)
        reply = yield from self._send_with_retry(Send("POST", url, headers, {"token": token}))
        if reply.status != _OK:
            raise _misconfigured_error(reply, "introspect")
        return reply.body

    def _send_with_retry(self, send: Send) -> Flow[Reply]:
        """Send a request, and repeat it once if there is no response. Raises Rejected (503)."""
        reason = ""
        for _ in range(_MAX_ATTEMPTS):
            try:
                reply = yield send
            except Unreachable as error:
                reason = str(error)
                continue
            if reply.status < 500:  # noqa: PLR2004  # an answer, good or bad
                return reply
            reason = f"{send.url} answered with status {reply.status}."
        raise self._unavailable(reason)

    def _consume_error(self, reply: Reply, caller: Caller) -> Exception:
        code, text = str(reply.body.get("code", "")), str(reply.body.get("detail", ""))
        if code == "insufficient_user_authentication":
            challenge = reply.headers.get("www-authenticate", "")
            return Rejected(401, code, text, {"WWW-Authenticate": challenge})
        if code == "already_consumed":
            return Rejected(409, code, text)
        if code == "token_inactive":
            return self.realm.invalid_token(text, caller.scheme)
        if reply.status == _FORBIDDEN and code in {"not_granted", "not_single_use"}:
            return Rejected(_FORBIDDEN, code, text)
        return _misconfigured_error(reply, "consume")


class Misconfigured(RuntimeError):
    """Sayso refuses the API itself, because of a wrong setting: respond with 500, and log this."""


def _misconfigured_error(reply: Reply, what: str) -> Misconfigured:
    reason = reply.body.get("detail") or reply.body.get("error_description") or "no reason"
    return Misconfigured(
        f"Sayso refused to {what} for this API (status {reply.status}: {reason}). Check that "
        "credentials and audience come from the same `sayso resources add`."
    )


def _read_claims(payload: bytes) -> Mapping[str, Any]:
    """Return the claims of a token. Raises ValueError if they are not a JSON object."""
    claims = json.loads(payload)
    if not isinstance(claims, dict):
        raise ValueError("not an object")  # noqa: TRY004  # as for invalid JSON
    return claims


def _is_compact(token: str) -> bool:
    """Return whether it is three base64url parts. PyJWT would drop other characters."""
    return token.isascii() and token.encode().translate(None, _BASE64URL) == b".."


@lru_cache(maxsize=128)
def _key_id(encoded: str) -> str | None:
    """Return the key ID in an access token's header, which all tokens of a key share.

    The key determines the algorithm; the one in the header must be equal.
    """
    try:
        header = json_of(encoded)
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or not set(header) <= {"alg", "typ", "kid"}:
        return None
    kid, typ = header.get("kid"), header.get("typ")
    if not isinstance(kid, str) or not isinstance(typ, str):
        return None
    return kid if typ.lower() in _TYPES else None


def _without_slash(resource: object) -> object:
    """Return a resource URI without its trailing slash, which Sayso ignores."""
    is_path = isinstance(resource, str) and "?" not in resource
    return str(resource).removesuffix("/") if is_path else resource


def _split_address(name: str, url: str) -> tuple[str, str]:
    """Return the origin of the API's URL, and its path without trailing slashes."""
    parts = split_url(name, url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError(f"{name} must be an http(s) URL of this API, not {url!r}.")
    if name == "url" and (parts.query or parts.fragment):
        raise ValueError(f"{name} must not have a query or a fragment: {url!r}.")
    return f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
