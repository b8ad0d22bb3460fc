"""The claims of what people's apps get (RFC 9068, OpenID Connect Core 2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.protocol import names
from server.protocol.json_text import JsonValue
from server.protocol.tokens import tokens
from server.protocol.tokens.tokens import Approved


@dataclass(frozen=True, slots=True)
class AppIssue:
    """One issuing to an app, for a person (seconds)."""

    issuer: str
    token_id: str
    app: str
    user: str
    audience: str
    scope: str
    sign_in: str
    """"" when it came through no browser."""
    acr: str
    amr: tuple[str, ...]
    actor: str | None
    """The agent that may be given this token to act with."""
    claims: tuple[str, ...]
    """What /userinfo answers beside what the scopes stand for."""
    jkt: str | None
    auth_time: int
    issued_at: int
    expires_at: int
    details: Sequence[Mapping[str, JsonValue]] = ()
    approved: Approved | None = None
    """How the person signed for the details, for the access token alone."""

    @property
    def token_type(self) -> str:
        """How the access token is presented (RFC 9449 5)."""
        return "Bearer" if self.jkt is None else "DPoP"


def access_token_claims(issue: AppIssue) -> dict[str, object]:
    """The claims of an access token (RFC 9068 2.2); `may_act` names the agent (RFC 8693 4.4).

    One with details was signed for on a device; the ID token says how the person signed in.
    """
    claims: dict[str, object | None] = {
        "iss": issue.issuer,
        "sub": issue.user,
        "sub_profile": names.SUB_PROFILE_USER,
        "aud": issue.audience,
        "client_id": issue.app,
        "may_act": None if issue.actor is None else {"sub": issue.actor, "iss": issue.issuer},
        "scope": issue.scope or None,
        "authorization_details": list(issue.details) or None,
        "claims": list(issue.claims) or None,
        "sid": issue.sign_in or None,
        "auth_time": issue.auth_time,
        "acr": issue.acr,
        "amr": list(issue.amr),
        "cnf": None if issue.jkt is None else {"jkt": issue.jkt},
        "jti": issue.token_id,
        "iat": issue.issued_at,
        "exp": issue.expires_at,
        **tokens.approval_claims(issue.approved),
    }
    return {name: value for name, value in claims.items() if value is not None}


def id_token_claims(
    issue: AppIssue,
    *,
    nonce: str | None,
    access_token: str,
    alg: str,
    about: Mapping[str, object],
) -> dict[str, object]:
    """The claims of the ID token; `about` is what it says of the person beside their `sub`."""
    claims = {
        **about,
        "iss": issue.issuer,
        "sub": issue.user,
        "aud": issue.app,
        "sid": issue.sign_in or None,
        "auth_time": issue.auth_time,
        "acr": issue.acr,
        "amr": list(issue.amr),
        "nonce": nonce,
        "at_hash": tokens.at_hash(access_token, alg),
        "iat": issue.issued_at,
        "exp": issue.issued_at + tokens.ID_TOKEN_SECONDS,
    }
    return {name: value for name, value in claims.items() if value is not None}
