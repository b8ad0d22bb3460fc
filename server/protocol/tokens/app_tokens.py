"""The claims of tokens for apps (RFC 9068, OpenID Connect Core 2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.protocol import names
from server.protocol.json_text import JsonValue
from server.protocol.tokens import tokens
from server.protocol.tokens.tokens import Approved


@dataclass(frozen=True, slots=True)
class AppTokenContents:
    """The contents of an app's tokens. Times are in seconds."""

    issuer: str
    token_id: str
    app: str
    user: str
    audience: str
    scope: str
    sign_in: str
    """"" if the person signed in without a browser."""
    acr: str
    amr: tuple[str, ...]
    actor: str | None
    """The agent that may exchange this token to act for the person."""
    claims: tuple[str, ...]
    """Claims that /userinfo returns in addition to those of the scopes."""
    jkt: str | None
    auth_time: int
    issued_at: int
    expires_at: int
    details: Sequence[Mapping[str, JsonValue]] = ()
    approved: Approved | None = None
    """How the person signed for the details; only in the access token."""


def access_token_claims(contents: AppTokenContents) -> dict[str, object]:
    """Return the claims of an access token (RFC 9068 2.2).

    `may_act` names the agent that may exchange it (RFC 8693 4.4). If a device signed
    for the details, the token has claims about that approval; the ID token says how the person
    signed in.
    """
    claims: dict[str, object | None] = {
        "iss": contents.issuer,
        "sub": contents.user,
        "sub_profile": names.SUB_PROFILE_USER,
        "aud": contents.audience,
        "client_id": contents.app,
        "may_act": contents.actor and {"sub": contents.actor, "iss": contents.issuer},
        "scope": contents.scope or None,
        "authorization_details": list(contents.details) or None,
        "claims": list(contents.claims) or None,
        "sid": contents.sign_in or None,
        "auth_time": contents.auth_time,
        "acr": contents.acr,
        "amr": list(contents.amr),
        "cnf": None if contents.jkt is None else {"jkt": contents.jkt},
        "jti": contents.token_id,
        "iat": contents.issued_at,
        "exp": contents.expires_at,
        **tokens.approval_claims(contents.approved),
    }
    return {name: value for name, value in claims.items() if value is not None}


def id_token_claims(
    contents: AppTokenContents,
    *,
    nonce: str | None,
    access_token: str,
    alg: str,
    about: Mapping[str, object],
) -> dict[str, object]:
    """Return the claims of the ID token. `about` has the claims about the person except `sub`."""
    claims = {
        **about,
        "iss": contents.issuer,
        "sub": contents.user,
        "aud": contents.app,
        "sid": contents.sign_in or None,
        "auth_time": contents.auth_time,
        "acr": contents.acr,
        "amr": list(contents.amr),
        "nonce": nonce,
        "at_hash": tokens.at_hash(access_token, alg),
        "iat": contents.issued_at,
        "exp": contents.issued_at + tokens.ID_TOKEN_SECONDS,
    }
    return {name: value for name, value in claims.items() if value is not None}
