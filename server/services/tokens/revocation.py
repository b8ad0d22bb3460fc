"""Token revocation by clients (RFC 7009)."""

from dataclasses import dataclass

from server.model.audit import Entry
from server.model.store import Store, Unit
from server.model.tokens import Delegation
from server.protocol.names import PREFIX_AGENT, PREFIX_AUTH_REQ_ID, PREFIX_REFRESH_TOKEN
from server.services.approvals.withdrawals import cancel
from server.services.audit import audit
from server.services.clients.client_auth import TokenClient
from server.services.tokens import refresh_families
from server.services.tokens.app_issuing import token_hash
from server.services.tokens.issued_tokens import IssuedTokens


@dataclass(frozen=True, slots=True)
class Revocation:
    """Revokes tokens at the request of their client."""

    store: Store
    tokens: IssuedTokens

    def revoke(self, client: TokenClient, token: str) -> None:
        """Revoke this token and its descendants, if it is the client's own.

        The `auth_req_id` of an open request cancels that request. Another client's token and an
        unknown one change nothing and get the same response (2.2).
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
                _end(tx, row)


def _end_family(tx: Unit, client_id: str, token: str) -> None:
    """End all refresh tokens of the same code, and their access tokens."""
    family = refresh_families.of_token(tx, token_hash(token))
    if family is None or family.grant.app_id != client_id or family.ended_at is not None:
        return
    ended = refresh_families.end(tx, family.id)
    audit.record(
        tx,
        Entry(
            type=audit.Type.TOKEN_REVOKED,
            actor=audit.by_client(client_id),
            subject=family.grant.user_id,
            resource=family.grant.resource or None,
            decision="revoked",
            cause="by its client",
            facts={"family": family.id, "client": client_id, "tokens_revoked": ended},
        ),
    )


def _end(tx: Unit, row: Delegation) -> None:
    ended = tx.delegations.revoke_tree(row.id, tx.now)
    if not ended:
        return
    audit.record(
        tx,
        Entry(
            type=audit.Type.TOKEN_REVOKED,
            actor=audit.by_client(row.client_id),
            agent_id=row.client_id if row.client_id.startswith(PREFIX_AGENT) else None,
            subject=row.user_id,
            resource=row.resource,
            decision="revoked",
            cause="by its client",
            approval_id=row.approval_id,
            facts={"jti": row.id, "client": row.client_id, "tokens_revoked": len(ended)},
        ),
    )
