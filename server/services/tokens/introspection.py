"""Telling a resource whether a token counts, and what it says (RFC 7662)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from server.model.clients import Agent
from server.model.ports import Signer
from server.model.resources import Resource
from server.model.store import Directory, Store, View
from server.model.tokens import LiveToken
from server.protocol.names import PREFIX_REFRESH_TOKEN
from server.protocol.resources import scopes
from server.protocol.tokens import introspection
from server.services.clients.client_auth import Client
from server.services.server_policy import ServerPolicy
from server.services.tokens.app_tokens import token_hash
from server.services.tokens.issued_tokens import IssuedTokens

USE_NOTED_MS: Final = 60_000
"""How often, at most, the use of one token is written down."""


@dataclass(frozen=True, slots=True)
class Introspection:
    """Answers about tokens. What it says was true when it looked; nothing is decided here."""

    store: Store
    tokens: IssuedTokens
    signer: Signer
    rules: ServerPolicy

    def inspect(self, caller: Client, token: str) -> Mapping[str, object]:
        """What the caller may know of this token: `{"active": false}` if that is nothing.

        A token that does not exist and one that is none of the caller's business look the same.
        """
        with self.store.read() as view:
            if token.startswith(PREFIX_REFRESH_TOKEN):
                return _refresh_token(view, caller, token, self.rules.issuer)
            found = self.tokens.live(view, token)
            if found is None or not _may_know(caller, found):
                return introspection.INACTIVE
            answer = _told(view.directory, found)
            stale = view.now - (found.row.last_used_at or 0) > USE_NOTED_MS
        if stale and isinstance(caller, Resource):
            with self.store.write() as tx:
                tx.delegations.used(found.row.id, tx.now)
        return answer

    def signed(self, caller: Client, answer: Mapping[str, object]) -> str:
        """The same answer as a JWT for this caller alone (RFC 9701 5)."""
        with self.store.read() as view:
            claims = introspection.signed_claims(self.rules.issuer, caller.id, view.now, answer)
            keys = view.directory.signing_keys()
        return self.signer.sign(keys, self.rules.access_token_alg, introspection.JWT_TYPE, claims)


def _may_know(caller: Client, found: LiveToken) -> bool:
    """The audience itself, an agent that is the audience's, or whoever was given the token."""
    if isinstance(caller, Resource):
        return caller.uri == found.row.resource
    serves = isinstance(caller, Agent) and found.row.resource in caller.serves
    return serves or caller.id == found.row.client_id


def _refresh_token(view: View, caller: Client, token: str, issuer: str) -> Mapping[str, object]:
    """An app may know whether its refresh token can still be used; it has no type and no audience.

    So nobody takes it for an access token, and to everybody else it does not exist.
    """
    row = view.code_grants.token(token_hash(token))
    family = None if row is None else view.code_grants.family(row.family_id)
    if row is None or family is None or family.grant.app_id != caller.id:
        return introspection.INACTIVE
    user = view.directory.user(family.grant.user_id)
    over = family.ended_at is not None or view.now >= family.expires_at
    if row.used_at is not None or over or user is None or not user.enabled:
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


def _told(directory: Directory, found: LiveToken) -> dict[str, object]:
    agent = found.client if isinstance(found.client, Agent) else None
    people = [directory.user(owner) for owner in (agent.owners if agent else ())]
    return introspection.active(
        found.claims,
        username=None if found.user is None else found.user.name,
        agent=None if agent is None else agent.name,
        owners=[person.name for person in people if person is not None],
    )
