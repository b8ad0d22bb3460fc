"""Token introspection (RFC 7662)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from server.model.clients import Agent
from server.model.ports import Signer
from server.model.resources import Resource
from server.model.store import Directory, Store, View
from server.model.tokens import LiveToken
from server.protocol.names import PREFIX_REFRESH_TOKEN, handle_hash
from server.protocol.resources import scopes
from server.protocol.tokens import introspection
from server.services.clients.client_auth import Client
from server.services.server_policy import ServerPolicy
from server.services.tokens.issued_tokens import IssuedTokens

LAST_USE_INTERVAL_MS: Final = 60_000
"""A token's last use is recorded at most once in this interval."""


@dataclass(frozen=True, slots=True)
class Introspection:
    """Answers introspection requests."""

    store: Store
    tokens: IssuedTokens
    signer: Signer
    server_policy: ServerPolicy

    def inspect(self, caller: Client, token: str) -> Mapping[str, object]:
        """Return the response for the caller; `{"active": false}` if it may not inspect the token.

        A token that does not exist and one that the caller may not inspect get the same response.
        """
        with self.store.read() as view:
            if token.startswith(PREFIX_REFRESH_TOKEN):
                return _refresh_token_response(view, caller, token, self.server_policy.issuer)
            live_token = self.tokens.live(view, token)
            if live_token is None or not _may_inspect(caller, live_token):
                return introspection.INACTIVE
            response = _response(view.directory, live_token)
            is_use_due = view.now - (live_token.row.last_used_at or 0) > LAST_USE_INTERVAL_MS
        if is_use_due and _serves(caller, live_token):
            with self.store.write() as tx:
                tx.delegations.mark_used(live_token.row.id, tx.now)
        return response

    def sign_response(self, caller: Client, answer: Mapping[str, object]) -> str:
        """Return the response as a JWT for this caller (RFC 9701 5)."""
        with self.store.read() as view:
            claims = introspection.signed_claims(
                self.server_policy.issuer, caller.id, view.now, answer
            )
            keys = view.directory.signing_keys()
        return self.signer.sign(
            keys, self.server_policy.access_token_alg, introspection.JWT_TYPE, claims
        )


def _may_inspect(caller: Client, token: LiveToken) -> bool:
    """Return whether the caller is the audience, an agent that serves it, or the client."""
    return _serves(caller, token) or caller.id == token.row.client_id


def _serves(caller: Client, token: LiveToken) -> bool:
    if isinstance(caller, Resource):
        return caller.uri == token.row.resource
    return isinstance(caller, Agent) and token.row.resource in caller.serves


def _refresh_token_response(
    view: View, caller: Client, token: str, issuer: str
) -> Mapping[str, object]:
    """Return the response that tells an app whether its refresh token can still be used.

    The response contains no type or audience, so that it cannot be mistaken for an access token's.
    Other callers get the response for an unknown token.
    """
    row = view.code_grants.token(handle_hash(token))
    family = None if row is None else view.code_grants.family(row.family_id)
    if row is None or family is None or family.grant.app_id != caller.id:
        return introspection.INACTIVE
    user = view.directory.user(family.grant.user_id)
    is_ended = family.ended_at is not None or view.now >= family.expires_at
    if row.used_at is not None or is_ended or user is None or not user.enabled:
        return introspection.INACTIVE
    return {
        "active": True,
        "iss": issuer,
        "client_id": caller.id,
        "sub": user.id,
        "username": user.name,
        "scope": scopes.text((*family.grant.openid, *family.grant.scope)),
        "iat": row.created_at // 1000,
        "exp": family.expires_at // 1000,
    }


def _response(directory: Directory, token: LiveToken) -> dict[str, object]:
    agent = token.client if isinstance(token.client, Agent) else None
    owners = [directory.user(owner) for owner in (agent.owners if agent else ())]
    return introspection.active_response(
        token.claims,
        username=None if token.user is None else token.user.name,
        agent=None if agent is None else agent.name,
        owners=[person.name for person in owners if person is not None],
    )
