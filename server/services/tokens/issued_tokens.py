"""Checks whether an access token from this server is valid.

Owns: the steps from an encoded token to its row. Never: deciding who may see the result.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from server.model.ports import BadToken, Verifier
from server.model.store import Directory, View
from server.model.tokens import Delegation, LiveToken, published
from server.protocol.tokens.tokens import ACCESS_TOKEN_TYPE
from server.services.clients import client_auth
from server.services.server_policy import ServerPolicy


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """Verifies access tokens."""

    verifier: Verifier
    server_policy: ServerPolicy

    def read(self, view: View, token: str) -> Mapping[str, object] | None:
        """Return the claims of an access token signed with our key, expired or not; else None."""
        keys = published(view.directory.signing_keys(), view.now)
        try:
            claims = self.verifier.own_token(token, ACCESS_TOKEN_TYPE, keys)
        except BadToken:
            return None
        return claims if claims.get("iss") == self.server_policy.issuer else None

    def live(self, view: View, token: str) -> LiveToken | None:
        """Return the token if it is valid; None if it is not, for any reason.

        1. A published key signed it; revoked keys are not accepted. 2. It has not expired. 3. It
        was issued here, and neither it nor an ancestor was revoked. 4. Its client, user and actors
        are enabled. 5. Its audience exists.
        """
        claims = self.read(view, token)
        row = None if claims is None else view.delegations.get(str(claims.get("jti")))
        if claims is None or row is None or not _in_force(row, claims, view.now):
            return None
        client = client_auth.find(view.directory, row.client_id)
        user = view.directory.user(row.user_id) if row.user_id else None
        if client is None or not client.active(view.now):
            return None
        if row.user_id and (user is None or not user.enabled):
            return None
        allowed = all(_may_act(view, actor) for actor in _actors(claims))
        if not allowed or not self._exists(view.directory, row.resource):
            return None
        return LiveToken(claims, row, client, user)

    def _exists(self, directory: Directory, audience: str) -> bool:
        is_own = audience.startswith(f"{self.server_policy.issuer}/")
        return is_own or directory.resource(audience) is not None


def _in_force(row: Delegation, claims: Mapping[str, object], now: int) -> bool:
    expires = claims.get("exp")
    return row.revoked_at is None and isinstance(expires, int) and now < expires * 1000


def _may_act(view: View, actor: str) -> bool:
    agent = view.directory.agent(actor)
    return agent is not None and agent.active(view.now)


def _actors(claims: Mapping[str, object]) -> Iterator[str]:
    """Return the actors of a token, the current one first (RFC 8693 4.1)."""
    actor = claims.get("act")
    while isinstance(actor, Mapping):
        yield str(actor.get("sub"))
        actor = actor.get("act")
