"""Calls of the JSON API put together by hand: any token, any proof, any body."""

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
    """The API as one terminal may call it, and as it may not."""

    person: Terminal
    http: httpx.Client

    @property
    def token(self) -> str:
        """An access token that is good."""
        return self.person.client.session.tokens.access_token()

    @property
    def key(self) -> SigningKey:
        """The key that the token is bound to."""
        return self.person.client.session.key

    def claims(self, method: str, path: str, **changes: Any) -> dict[str, Any]:
        """The claims of a good proof; `changes` replace members, None takes one away."""
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
        """A proof over these claims; members of the header are added, changed or taken away."""
        signer = key or self.key
        wanted = {"typ": "dpop+jwt", "jwk": signer.jwk, **header}
        return Key("ES256", signer.private, "").sign(claims, **{"kid": None, **wanted})

    def call(
        self,
        method: str,
        path: str,
        *,
        proof: str | None = None,
        authorization: str | None = None,
        **rest: Any,
    ) -> httpx.Response:
        """Send it; what is not given is right."""
        if proof is None:
            proof = self.proof(self.claims(method, path.partition("?")[0]))
        named = {"DPoP": proof, "Authorization": authorization or f"DPoP {self.token}"}
        extra = rest.pop("headers", {})
        headers = {**named, **extra}
        sent = {name: value for name, value in headers.items() if value}
        return self.http.request(method, path, headers=sent, **rest)


def private_jwk(key: SigningKey) -> dict[str, str]:
    """The key pair as a JWK with its private half, which nobody may be shown."""
    return {**key.jwk, "d": b64(key.scalar)}


def with_id(path: str) -> str:
    """The path of a route with an unknown ID in place of `<id>`."""
    return path.replace("<id>", "sayso_ap_aaaaaaaaaaaaaaaa")
