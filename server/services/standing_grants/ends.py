"""Ends standing grants: by a user, or because an agent, user, resource or action type changed.

A reserved use that was not redeemed yet is refused at redemption. Issued tokens stay valid.
"""

from collections.abc import Iterable

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
    standing_grant = tx.standing_grants.end(grant_id, reason, tx.now)
    return None if standing_grant is None else _record_ends(tx, [standing_grant], actor)[0]


def end_access(tx: Unit, user_id: str, agent_id: str, *, actor: str) -> int:
    """Revoke all of this user's grants for this agent; returns their number."""
    standing_grants = tx.standing_grants.end_between(user_id, agent_id, None, "revoked", tx.now)
    return len(_record_ends(tx, standing_grants, actor))


def agent_deactivated(tx: Unit, event: AgentDeactivated) -> None:
    """Revoke the grants for an agent that was disabled."""
    agent = event.agent
    standing_grants = tx.standing_grants.end_of_agent(agent.id, f"agent_{agent.state}", tx.now)
    _record_ends(tx, standing_grants, event.by)


def agent_replaced(tx: Unit, event: AgentReplaced) -> None:
    """Revoke the grants for an agent whose credentials or owners changed."""
    standing_grants = tx.standing_grants.end_of_agent(event.agent_id, event.reason, tx.now)
    _record_ends(tx, standing_grants, event.by)


def user_disabled(tx: Unit, event: UserDisabled) -> None:
    """Revoke a disabled user's grants."""
    standing_grants = tx.standing_grants.end_of_user(event.user.id, "user_disabled", tx.now)
    _record_ends(tx, standing_grants, event.by)


def resource_deleted(tx: Unit, event: ResourceDeleted) -> None:
    """Revoke the grants at a deleted resource."""
    _record_ends(tx, tx.standing_grants.end_at(event.uri, "resource_deleted", tx.now), event.by)


def action_type_changed(tx: Unit, event: ActionTypeChanged) -> None:
    """Revoke the grants for a changed action type."""
    _record_ends(tx, tx.standing_grants.end_of_type(event.type, "type_changed", tx.now), event.by)


def consent_ended(tx: Unit, event: ConsentEnded) -> None:
    """Revoke the user's grants for the agent and resource of a revoked consent."""
    consent = event.consent
    standing_grants = tx.standing_grants.end_between(
        consent.user_id, consent.client_id, consent.resource, "consent_revoked", tx.now
    )
    _record_ends(tx, standing_grants, event.by)


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


def _record_ends(
    tx: Unit, standing_grants: Iterable[StandingGrant], actor: str
) -> list[StandingGrant]:
    grants = list(standing_grants)
    for grant in grants:
        cause = grant.ended_because
        record(tx, audit.Type.STANDING_GRANT_ENDED, grant, actor, cause=cause)
        notices.standing_grant(tx, grant, "standing_grant.ended")
    return grants
