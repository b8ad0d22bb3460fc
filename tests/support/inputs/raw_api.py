"""Calls of the JSON API assembled by hand: any token, any proof, any body."""

import secrets
from dataclasses import dataclass
from typing import Any

import httpx

from approver_tui.client.jose import SigningKey, b64
from server.protocol.approvals.decisions import digest
from tests.support.clients.terminal import Terminal
from tests.support.inputs.handmade_jwts import Key


@dataclass(frozen=True, slots=True)
class RawApi:
    """The API as a terminal calls it, with valid or invalid requests."""

    person: Terminal
    http: httpx.Client

    @property
    def token(self) -> str:
        """Return a valid access token."""
        return self.person.client.session.tokens.access_token()

    @property
    def key(self) -> SigningKey:
        """Return the key that the token is bound to."""
        return self.person.client.session.key

    def claims(self, method: str, path: str, **changes: Any) -> dict[str, Any]:
        """Return the claims of a valid proof; `changes` replace members, None removes one."""
        claims = {
            "htm": method,
            "htu": self.person.client.profile.issuer + path,
            "iat": self.person.client.now() // 1000,
            "jti": secrets.token_urlsafe(16),
            "ath": digest(self.token),
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def proof(self, claims: Any, key: SigningKey | None = None, **header: Any) -> str:
        """Return a proof with these claims; `header` replaces header members, None removes one."""
        signer = key or self.key
        full_header = {"typ": "dpop+jwt", "jwk": signer.jwk, **header}
        return Key("ES256", signer.private, "").sign(claims, **{"kid": None, **full_header})

    def call(
        self,
        method: str,
        path: str,
        *,
        proof: str | None = None,
        authorization: str | None = None,
        **rest: Any,
    ) -> httpx.Response:
        """Send a request; an omitted proof or authorization is replaced by a valid one."""
        if proof is None:
            proof = self.proof(self.claims(method, path.partition("?")[0]))
        named = {"DPoP": proof, "Authorization": authorization or f"DPoP {self.token}"}
        extra = rest.pop("headers", {})
        headers = {**named, **extra}
        parameters = {name: value for name, value in headers.items() if value}
        return self.http.request(method, path, headers=parameters, **rest)


def private_jwk(key: SigningKey) -> dict[str, str]:
    """Return the key pair as a JWK with its private part, which must never be sent."""
    return {**key.jwk, "d": b64(key.scalar)}


def with_id(path: str) -> str:
    """Return the path of a route with an unknown ID in place of `<id>`."""
    return path.replace("<id>", "sayso_ap_aaaaaaaaaaaaaaaa")
