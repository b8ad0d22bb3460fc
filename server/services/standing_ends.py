"""Ending standing grants: by somebody, or because something that they stand on is gone.

What was reserved and not fetched gives nothing any more: it is looked at again when it is fetched.
Tokens that went out are as short-lived as any, and stay what they are.
"""

from collections.abc import Iterable

from server.protocol import scopes
from server.services import audit, notices
from server.services.ports import Unit
from server.services.records import Entry
from server.services.standing_grant_records import StandingGrant


def end(tx: Unit, grant_id: str, *, because: str, actor: str) -> StandingGrant | None:
    """End one; None when it had ended before."""
    ended = tx.standing_grants.end(grant_id, because, tx.now)
    return None if ended is None else _told(tx, [ended], actor)[0]


def end_of_agent(tx: Unit, agent_id: str, *, because: str, actor: str) -> list[StandingGrant]:
    """The agent is not what it was: other credentials, other owners, or stopped."""
    return _told(tx, tx.standing_grants.end_of_agent(agent_id, because, tx.now), actor)


def end_of_user(tx: Unit, user_id: str, *, actor: str) -> None:
    """Nobody stands behind what a stopped person gave."""
    _told(tx, tx.standing_grants.end_of_user(user_id, "user_disabled", tx.now), actor)


def end_at(tx: Unit, resource: str, *, actor: str) -> None:
    """The resource is gone."""
    _told(tx, tx.standing_grants.end_at(resource, "resource_deleted", tx.now), actor)


def end_of_type(tx: Unit, action_type: str, *, actor: str) -> None:
    """What an action of this type means has changed."""
    _told(tx, tx.standing_grants.end_of_type(action_type, "type_changed", tx.now), actor)


def end_between(tx: Unit, user_id: str, agent_id: str, resource: str, *, actor: str) -> None:
    """The person took back what they let this agent have there."""
    ended = tx.standing_grants.end_between(user_id, agent_id, resource, "consent_revoked", tx.now)
    _told(tx, ended, actor)


def record(
    tx: Unit, kind: audit.Type, grant: StandingGrant, actor: str, *, cause: str | None = None
) -> None:
    """Write down what happened to a grant."""
    total = grant.bounds.sum
    audit.record(
        tx,
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


def _told(tx: Unit, ended: Iterable[StandingGrant], actor: str) -> list[StandingGrant]:
    grants = list(ended)
    for grant in grants:
        cause = grant.ended_because
        record(tx, audit.Type.STANDING_GRANT_ENDED, grant, actor, cause=cause)
        notices.standing_grant(tx, grant, "standing_grant.ended")
    return grants
