"""Ends standing grants, on request or when an agent, user, resource or action type changes.

A reserved use that was not redeemed yet is refused at redemption. Issued tokens stay valid.
"""

from server.model.audit import Entry
from server.model.reactions import (
    ActionTypeChanged,
    AgentDeactivated,
    AgentReplaced,
    ConsentEnded,
    ResourceDeleted,
    UserDisabled,
)
from server.model.standing_grants import StandingGrant
from server.model.store import Unit
from server.protocol.resources import scopes
from server.services.audit import audit
from server.services.notifications import notices


def end(tx: Unit, grant_id: str, *, reason: str, actor: str) -> StandingGrant | None:
    """Revoke a grant and return it; None if it is not in force."""
    ended = _end_all(tx, reason, actor, id=grant_id)
    return ended[0] if ended else None


def end_access(tx: Unit, user_id: str, agent_id: str, *, actor: str) -> int:
    """Revoke all of this user's grants for this agent; return their number."""
    return len(_end_all(tx, "revoked", actor, user_id=user_id, agent_id=agent_id))


def agent_deactivated(tx: Unit, event: AgentDeactivated) -> None:
    """Revoke the grants for an agent that was disabled."""
    _end_all(tx, f"agent_{event.agent.state}", event.by, agent_id=event.agent.id)


def agent_replaced(tx: Unit, event: AgentReplaced) -> None:
    """Revoke the grants for an agent whose credentials or owners changed."""
    _end_all(tx, event.reason, event.by, agent_id=event.agent_id)


def user_disabled(tx: Unit, event: UserDisabled) -> None:
    """Revoke a disabled user's grants."""
    _end_all(tx, "user_disabled", event.by, user_id=event.user.id)


def resource_deleted(tx: Unit, event: ResourceDeleted) -> None:
    """Revoke the grants at a deleted resource."""
    _end_all(tx, "resource_deleted", event.by, resource=event.uri)


def action_type_changed(tx: Unit, event: ActionTypeChanged) -> None:
    """Revoke the grants for a changed action type."""
    _end_all(tx, "type_changed", event.by, type=event.type)


def consent_ended(tx: Unit, event: ConsentEnded) -> None:
    """Revoke the user's grants for the agent and resource of a revoked consent."""
    user, client, resource = event.consent.user_id, event.consent.client_id, event.consent.resource
    _end_all(tx, "consent_revoked", event.by, user_id=user, agent_id=client, resource=resource)


def record(
    tx: Unit, kind: audit.Type, grant: StandingGrant, actor: str, *, cause: str | None = None
) -> None:
    """Write the audit entry about a grant."""
    total = grant.bounds.sum
    tx.audit.add(
        Entry(
            type=kind,
            actor=actor,
            agent_id=grant.agent_id,
            subject=grant.user_id,
            resource=grant.resource,
            action=grant.type,
            decision="given" if kind is audit.Type.STANDING_GRANT_GIVEN else "ended",
            posture=grant.risk,
            cause=cause,
            approval_id=grant.approval_id,
            facts={
                "standing_grant": grant.id,
                "scope": scopes.text(grant.scopes),
                "expires_at": grant.expires_at,
                "uses": grant.uses,
                "used": grant.used,
                "sum": None if total is None else [total.minor, total.currency],
                "spent": grant.spent_minor,
                "ceremony": grant.ceremony,
            },
        ),
    )


def _end_all(tx: Unit, reason: str, actor: str, **columns: str) -> list[StandingGrant]:
    """Revoke the grants with these column values; return the revoked grants."""
    grants = tx.standing_grants.end(reason, tx.now, **columns)
    for grant in grants:
        cause = grant.ended_because
        record(tx, audit.Type.STANDING_GRANT_ENDED, grant, actor, cause=cause)
        notices.standing_grant(tx, grant, "standing_grant.ended")
    return grants
