"""Revokes tokens for their client (RFC 7009), and the access that a person granted to a client.

Owns: revoking the client's standing grants, consents and tokens. Never: turning off an agent for
everyone; suspending, disabling and reporting do that.
"""

from dataclasses import dataclass
from typing import Final

from server.model.audit import Entry
from server.model.store import Store, Unit
from server.protocol.names import PREFIX_AUTH_REQ_ID, PREFIX_REFRESH_TOKEN, handle_hash
from server.services.approvals.withdrawals import cancel
from server.services.audit import audit
from server.services.clients.apps import by_path
from server.services.clients.client_auth import TokenClient
from server.services.consents import revocations
from server.services.standing_grants import ends
from server.services.tokens import delegations, refresh_families
from server.services.tokens.issued_tokens import IssuedTokens
from server.services.users import device_auth
from server.services.users.device_auth import Person

_BATCH_SIZE: Final = 200
_BY_CLIENT: Final = "by its client"


@dataclass(frozen=True, slots=True)
class Revocation:
    """Revokes tokens at the request of their client."""

    store: Store
    tokens: IssuedTokens

    def revoke(self, client: TokenClient, token: str) -> None:
        """Revoke this token and its descendants, if it is the client's own.

        The `auth_req_id` of an open request cancels that request. For another client's token
        and for an unknown token, nothing changes and the response is the same (2.2).
        """
        with self.store.write() as tx:
            if token.startswith(PREFIX_REFRESH_TOKEN):
                _end_family(tx, client.id, token)
                return
            if token.startswith(PREFIX_AUTH_REQ_ID):
                cancel(tx, client.id, token)
                return
            claims = self.tokens.read(tx, token)
            row = None if claims is None else tx.delegations.get(str(claims.get("jti")))
            if row is not None and row.client_id == client.id:
                delegations.revoke_tree(tx, row, audit.by_client(client.id), _BY_CLIENT)


def _end_family(tx: Unit, client_id: str, token: str) -> None:
    """Revoke all refresh tokens from the same code, and their access tokens."""
    family = refresh_families.of_token(tx, handle_hash(token))
    if family is None or family.grant.app_id != client_id or family.ended_at is not None:
        return
    revoked = refresh_families.end(tx, family.id)
    tx.audit.add(
        Entry(
            type=audit.Type.TOKEN_REVOKED,
            actor=audit.by_client(client_id),
            subject=family.grant.user_id,
            resource=family.grant.resource or None,
            decision="revoked",
            cause=_BY_CLIENT,
            facts={"family": family.id, "client": client_id, "tokens_revoked": revoked},
        ),
    )


@dataclass(frozen=True, slots=True)
class RevokedAccess:
    """The client, and the numbers of its revoked grants, consents and tokens."""

    client_id: str
    grants: int
    consents: int
    tokens: int


@dataclass(frozen=True, slots=True)
class AccessRevocation:
    """Revokes what agents and apps may do for a person."""

    store: Store

    def revoke(self, person: Person, path_id: str) -> RevokedAccess:
        """Revoke all access that the person granted to a client; the client may ask them again.

        `path_id` is its client_id, or the short form of a URL (`names.path_id`).

        Revokes grants and consents before tokens, so that no new token is issued in between. It is
        not an error if the client has no access.
        """
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            app = by_path(tx, path_id)
            access = _ClientAccess(tx, person.user.id, path_id if app is None else app.id)
            # Exchanges and revoked consents also lock consents before grants.
            tx.consents.lock(access.user_id, access.client_id, tx.now)
            grants = access.end_grants()
            consents, from_consents = access.end_consents()
            tokens = from_consents + access.end_tokens()
            return RevokedAccess(access.client_id, grants, consents, tokens)


@dataclass(frozen=True, slots=True)
class _ClientAccess:
    """The access that a person granted to a client."""

    tx: Unit
    user_id: str
    client_id: str

    def end_grants(self) -> int:
        return ends.end_access(self.tx, self.user_id, self.client_id, actor=self._actor)

    def end_consents(self) -> tuple[int, int]:
        """Revoke the consents; return their number, and the number of tokens revoked with them."""
        ended = tokens = 0
        while consents := self.tx.consents.search(
            user_id=self.user_id,
            client_id=self.client_id,
            live_at=self.tx.now,
            limit=_BATCH_SIZE,
            before=None,
        ):
            for consent in consents:
                tokens += (
                    revocations.revoke_consent(self.tx, consent, actor=self._actor, cause="revoked")
                    or 0
                )
            ended += len(consents)
        return ended, tokens

    def end_tokens(self) -> int:
        ended = 0
        while delegation_rows := self.tx.delegations.search(
            client_id=self.client_id,
            user_id=self.user_id,
            resource=None,
            live_at=self.tx.now,
            limit=_BATCH_SIZE,
        ):
            for row in delegation_rows:
                ended += delegations.revoke_tree(self.tx, row, self._actor, "by the person")[1]
        return ended

    @property
    def _actor(self) -> str:
        return audit.by_user(self.user_id)
