"""Revokes consents, with all access and refresh tokens issued under them."""

from server.model.audit import Entry
from server.model.consents import Consent
from server.model.reactions import ClientDeleted, ConsentEnded, ResourceDeleted
from server.model.store import Unit
from server.protocol.resources import scopes
from server.services.audit import audit
from server.services.notifications import notices


def revoke_consent(tx: Unit, consent: Consent, *, actor: str, cause: str) -> int | None:
    """Revoke a consent and its tokens; return the number of tokens, None if already revoked."""
    ended = tx.consents.revoke(consent.id, tx.now)
    return None if ended is None else _revoke_tokens(tx, ended, actor, cause)


def client_deleted(tx: Unit, event: ClientDeleted) -> None:
    """Revoke every consent of a deleted client."""
    for consent in tx.consents.revoke_client(event.client_id, tx.now):
        _revoke_tokens(tx, consent, event.by, "client_deleted")


def resource_deleted(tx: Unit, event: ResourceDeleted) -> None:
    """Revoke every consent at a deleted resource."""
    for consent in tx.consents.revoke_at(event.uri, tx.now):
        _revoke_tokens(tx, consent, event.by, "resource_deleted")


def _revoke_tokens(tx: Unit, consent: Consent, actor: str, cause: str) -> int:
    tokens = len(tx.delegations.revoke_consent(consent.id, tx.now))
    tokens += tx.react(ConsentEnded(consent, actor)).tokens
    record_consent(tx, audit.Type.CONSENT_REVOKED, consent, actor, cause=cause, tokens=tokens)
    notices.consent(tx, consent, "consent.revoked")
    return tokens


def record_consent(
    tx: Unit,
    kind: audit.Type,
    consent: Consent,
    actor: str,
    *,
    cause: str | None = None,
    **facts: int,
) -> None:
    """Write the audit entry about a consent."""
    tx.audit.add(
        Entry(
            type=kind,
            actor=actor,
            agent_id=consent.client_id,
            subject=consent.user_id,
            resource=consent.resource,
            decision="given" if kind is audit.Type.CONSENT_GIVEN else "revoked",
            cause=cause,
            approval_id=consent.approval_id,
            facts={
                "consent": consent.id,
                "app": consent.app_id,
                "scope": scopes.text(consent.scopes),
                "expires_at": consent.expires_at,
                **facts,
            },
        ),
    )
