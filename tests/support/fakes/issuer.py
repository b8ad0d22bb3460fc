"""A fake issuer in this process: metadata, keys, introspection and consumption.

Owns: tokens of any kind, signed with its own keys. Never: listens on a socket.
"""

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.inputs.handmade_jwts import Key, new_key

ISSUER = "https://sayso.example"
API = "https://pay.example"
USER, AGENT = "sayso_us_ana", "sayso_ag_bot"


@dataclass(slots=True)
class FakeIssuer:
    """Answers the SDK's requests, and records them."""

    keys: list[Key] = field(default_factory=lambda: [new_key("ES256", "first")])
    asked: list[str] = field(default_factory=list)
    """The paths of all requests."""
    away: bool = False
    """Whether every request fails to connect."""
    active: bool = True
    """The `active` member of introspection responses."""
    consumption: httpx.Response | None = None
    """The response to every consumption; None for a success."""

    @property
    def http(self) -> httpx.Client:
        """Return a client that reaches only this issuer."""
        return httpx.Client(transport=httpx.MockTransport(self.answer))

    @property
    def async_http(self) -> httpx.AsyncClient:
        """Return such a client for asyncio."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        path = request.url.path
        self.asked.append(path)
        if self.away:
            raise httpx.ConnectError("away")
        if path.startswith("/.well-known/"):
            urls = {"jwks_uri": "jwks", "introspection_endpoint": "introspect"}
            named = {name: f"{ISSUER}/{last}" for name, last in urls.items()}
            return httpx.Response(200, json={"issuer": ISSUER, **named})
        if path == "/jwks":
            return httpx.Response(200, json={"keys": [key.jwk for key in self.keys]})
        if path == "/introspect":
            return httpx.Response(200, json={"active": self.active, "username": "ana"})
        members = json.loads(request.content)
        done = {"approval": "sayso_ap_1", "consumed_at": "2026-11-25T14:30:00.000Z"}
        success = httpx.Response(200, json={**done, "execution_id": members["execution_id"]})
        return self.consumption or success

    def token(self, key: Key | None = None, header: Any = None, **changes: Any) -> str:
        """Return a valid access token; `changes` replace claims, None removes one."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": USER,
            "aud": API,
            "client_id": AGENT,
            "act": {"sub": AGENT, "iss": ISSUER},
            "scope": "payments:read",
            "jti": secrets.token_urlsafe(8),
            "iat": now,
            "exp": now + 300,
            **changes,
        }
        present_claims = {name: value for name, value in claims.items() if value is not None}
        return (key or self.keys[0]).sign(present_claims, **{"typ": "at+jwt", **(header or {})})
