"""Ending consents, and with each one every token that stands on it, those for refreshing too."""

from server.protocol import scopes
from server.services import audit, families, notices, standing_ends
from server.services.ports import Unit
from server.services.records import Consent, Entry


def end(tx: Unit, consent: Consent, *, actor: str, cause: str) -> int | None:
    """End a consent and what stands on it; how many access tokens, None when it was over before."""
    ended = tx.consents.revoke(consent.id, tx.now)
    return None if ended is None else _ended(tx, ended, actor, cause)


def end_all_of_client(tx: Unit, client_id: str, *, actor: str) -> None:
    """The client is gone, and so is every consent in which it has a part."""
    for consent in tx.consents.revoke_client(client_id, tx.now):
        _ended(tx, consent, actor, "client_deleted")


def end_all_at(tx: Unit, resource: str, *, actor: str) -> None:
    """The resource is gone, and so is every consent there."""
    for consent in tx.consents.revoke_at(resource, tx.now):
        _ended(tx, consent, actor, "resource_deleted")


def _ended(tx: Unit, consent: Consent, actor: str, cause: str) -> int:
    tokens = len(tx.delegations.revoke_consent(consent.id, tx.now))
    tokens += families.end_of_consent(tx, consent)
    standing_ends.end_between(tx, consent.user_id, consent.client_id, consent.resource, actor=actor)
    record(tx, audit.Type.CONSENT_REVOKED, consent, actor, cause=cause, tokens=tokens)
    notices.consent(tx, consent, "consent.revoked")
    return tokens


def record(
    tx: Unit,
    kind: audit.Type,
    consent: Consent,
    actor: str,
    *,
    cause: str | None = None,
    **facts: int,
) -> None:
    """Write down what happened to a consent."""
    audit.record(
        tx,
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
