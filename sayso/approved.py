"""An approval: the token, what was granted, and the evidence.

Owns: reading a token response, and calling an API with the token. Never: asking.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from sayso.dpop import ProofKey
from sayso.keys import json_of


@dataclass(frozen=True, slots=True)
class Receipt:
    """IDs and digests for your log. The person's signed receipt has the same fingerprint."""

    approval: str
    """The ID of the approval."""
    fingerprint: str
    """The short code that the person saw, such as `9f3a-71c0`."""
    action_digest: str
    """SHA-256 of what was requested, base64url."""
    granted_digest: str
    """SHA-256 of what was granted, base64url."""
    id_token: str
    """Sayso's signed statement that this request was answered."""


@dataclass(frozen=True, slots=True)
class Approved:
    """An approved request with its token, which is valid for a few minutes."""

    token: str = field(repr=False)
    """The access token. It is valid for one API."""
    granted: Sequence[Mapping[str, Any]]
    """The granted details, which may be less than was requested. Act on these."""
    scope: frozenset[str]
    narrowed: bool
    """Whether less was granted than was requested."""
    expires_in: int
    """The lifetime of the token, in seconds."""
    receipt: Receipt | None
    """None if no one had to be asked."""
    _proof_key: ProofKey | None = field(default=None, repr=False, compare=False)

    @property
    def auth(self) -> httpx.Auth:
        """Authentication for a call to the API, with DPoP: `httpx.get(url, auth=approved.auth)`."""
        return _TokenAuth(self.token, self._proof_key)


def read_approved(response: Mapping[str, Any], proof_key: ProofKey | None) -> Approved:
    """Read a token response. `proof_key` signed the DPoP proof of its request, if there was one."""
    token = str(response["access_token"])
    is_bound = str(response.get("token_type", "")).lower() == "dpop"
    return Approved(
        token=token,
        granted=tuple(response.get("authorization_details", ())),
        scope=frozenset(str(response.get("scope", "")).split()),
        narrowed=response.get("narrowed") is True,
        expires_in=int(response.get("expires_in", 0)),
        receipt=_receipt(token, response),
        _proof_key=proof_key if is_bound else None,
    )


def _receipt(token: str, response: Mapping[str, Any]) -> Receipt | None:
    claim = _claims(token).get("approval")
    if "id_token" not in response or not isinstance(claim, dict):
        return None
    return Receipt(
        approval=str(claim.get("id", "")),
        fingerprint=str(response.get("fingerprint", "")),
        action_digest=str(claim.get("action_digest", "")),
        granted_digest=str(claim.get("granted_digest", "")),
        id_token=str(response["id_token"]),
    )


def _claims(token: str) -> Mapping[str, Any]:
    """Return the claims of a token, not verified again because the issuer itself sent it."""
    try:
        claims = json_of(token.split(".")[1])
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


class _TokenAuth(httpx.Auth):
    """Sends the token as Bearer, or as DPoP with a new proof and the API's latest nonce."""

    def __init__(self, token: str, proof_key: ProofKey | None) -> None:
        self._token = token
        self._proof_key = proof_key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._proof_key is None:
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request
            return
        url, key = str(request.url), self._proof_key
        sent_nonce = key.nonce(url)
        self._prove(request, key)
        response = yield request
        key.note(url, response.headers)
        if response.status_code == httpx.codes.UNAUTHORIZED and key.nonce(url) != sent_nonce:
            self._prove(request, key)
            yield request

    def _prove(self, request: httpx.Request, key: ProofKey) -> None:
        request.headers["Authorization"] = f"DPoP {self._token}"
        request.headers["DPoP"] = key.proof(request.method, str(request.url), self._token)
