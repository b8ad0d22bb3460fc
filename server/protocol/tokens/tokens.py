"""The claims of what we issue (RFC 9068, OpenID Connect Core 2, CIBA 10)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from server.protocol import base64url, names
from server.protocol.json_text import JsonValue

ACCESS_TOKEN_TYPE: Final = "at+jwt"  # noqa: S105  # a media type
JTI: Final = "sayso_at_"
"""How the id of an access token begins."""
ID_TOKEN_TYPE: Final = "JWT"  # noqa: S105  # a media type
ID_TOKEN_SECONDS: Final = 300
API_TOKEN_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class Approved:
    """What an access token says of the approval that it was born of, and of who decided."""

    id: str
    action_digest: str
    granted_digest: str
    single_use: bool
    acr: str | None = None
    """How the person themselves answered; nothing of it where they were not asked."""
    amr: tuple[str, ...] = ()
    auth_time: int | None = None
    """Seconds."""
    decided_by: Mapping[str, object] | None = None
    """What decided instead of them."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One issuing: who, for whom, where, from when to when (seconds)."""

    issuer: str
    token_id: str
    agent: str
    user: str | None
    resource: str
    scope: str
    details: Sequence[Mapping[str, JsonValue]]
    issued_at: int
    expires_at: int
    approved: Approved | None = None
    jkt: str | None = None
    """The thumbprint of the client's key, when the token is bound to one (RFC 9449 6.1)."""
    under: Mapping[str, object] | None = None
    """The `act` of the token that this one comes from."""
    carried: Mapping[str, object] = field(default_factory=dict)
    """Claims that go on as they were: how the person once answered or signed in."""

    @property
    def token_type(self) -> str:
        """How a token that says this is presented (RFC 9449 5)."""
        return "Bearer" if self.jkt is None else "DPoP"


def actor(issue: Issue) -> dict[str, object] | None:
    """The `act` claim: the agent, whenever it acts for a person (RFC 8693 4.1).

    The current actor is outermost; those before it are nested.
    """
    if issue.user is None:
        return None
    return act_claim(issue.issuer, issue.agent, issue.under)


def act_claim(issuer: str, agent: str, under: Mapping[str, object] | None) -> dict[str, object]:
    """The agent as the current actor over those before it: who they are, and nothing else."""
    current: dict[str, object] = {
        "sub": agent,
        "iss": issuer,
        "sub_profile": names.SUB_PROFILE_AGENT,
    }
    return current if under is None else {**current, "act": dict(under)}


def access_token_claims(issue: Issue) -> dict[str, object]:
    """The claims of an access token (RFC 9068 2.2)."""
    person = issue.user is not None
    claims: dict[str, object | None] = {
        "iss": issue.issuer,
        "sub": issue.user or issue.agent,
        "sub_profile": names.SUB_PROFILE_USER if person else names.SUB_PROFILE_AGENT,
        "aud": issue.resource,
        "client_id": issue.agent,
        "act": actor(issue),
        "scope": issue.scope or None,
        "authorization_details": list(issue.details) or None,
        "jti": issue.token_id,
        "iat": issue.issued_at,
        "exp": issue.expires_at,
        "cnf": None if issue.jkt is None else {"jkt": issue.jkt},
        **issue.carried,
        **approval_claims(issue.approved),
    }
    return {name: value for name, value in claims.items() if value is not None}


def id_token_claims(
    issue: Issue, *, auth_req_id: str, access_token: str, alg: str
) -> dict[str, object]:
    """The claims of the ID token that comes with it (CIBA 10.1.1)."""
    claims: dict[str, object] = {
        "iss": issue.issuer,
        "sub": issue.user,
        "aud": issue.agent,
        "iat": issue.issued_at,
        "exp": issue.issued_at + ID_TOKEN_SECONDS,
        "at_hash": at_hash(access_token, alg),
        names.CLAIM_AUTH_REQ_ID: auth_req_id,
    }
    return claims | answer_claims(issue.approved)


def at_hash(access_token: str, alg: str) -> str:
    """The left half of the token's hash (OpenID Connect Core 3.1.3.6)."""
    hashed = hashlib.sha512 if alg == "EdDSA" else hashlib.sha256
    digest = hashed(access_token.encode()).digest()
    return base64url.encode(digest[: len(digest) // 2])


def approval_claims(approved: Approved | None) -> dict[str, object]:
    """What a token says of the answer that it was born of; nothing without one."""
    if approved is None:
        return {}
    said: dict[str, object] = {
        "id": approved.id,
        "action_digest": approved.action_digest,
        "granted_digest": approved.granted_digest,
        "single_use": approved.single_use,
    }
    if approved.decided_by is not None:
        said["decided_by"] = dict(approved.decided_by)
    return {"approval": said, **answer_claims(approved)}


def answer_claims(approved: Approved | None) -> dict[str, object]:
    """How the person answered; nothing where nobody was asked."""
    if approved is None or approved.acr is None:
        return {}
    return {"acr": approved.acr, "amr": list(approved.amr), "auth_time": approved.auth_time}
