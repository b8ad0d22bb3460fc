"""Ending standing grants: by somebody, or because something that they stand on is gone.

What was reserved and not fetched gives nothing any more: it is looked at again when it is fetched.
Tokens that went out are as short-lived as any, and stay what they are.
"""

from collections.abc import Iterable

from server.model.audit import Entry
from server.model.reactions import (
    ActionTypeChanged,
    AgentReplaced,
    AgentStopped,
    ConsentEnded,
    ResourceDeleted,
    UserDisabled,
)
from server.model.standing_grants import StandingGrant
from server.model.store import Unit
from server.protocol.resources import scopes
from server.services.audit import audit
from server.services.notifications import notices


def end(tx: Unit, grant_id: str, *, because: str, actor: str) -> StandingGrant | None:
    """End one; None when it had ended before."""
    ended = tx.standing_grants.end(grant_id, because, tx.now)
    return None if ended is None else _told(tx, [ended], actor)[0]


def agent_stopped(tx: Unit, event: AgentStopped) -> None:
    """The agent gets nothing any more."""
    agent = event.agent
    ended = tx.standing_grants.end_of_agent(agent.id, f"agent_{agent.state}", tx.now)
    _told(tx, ended, event.by)


def agent_replaced(tx: Unit, event: AgentReplaced) -> None:
    """The agent is not what it was when people gave them."""
    ended = tx.standing_grants.end_of_agent(event.agent_id, event.because, tx.now)
    _told(tx, ended, event.by)


def user_disabled(tx: Unit, event: UserDisabled) -> None:
    """Nobody stands behind what a disabled person gave."""
    ended = tx.standing_grants.end_of_user(event.user.id, "user_disabled", tx.now)
    _told(tx, ended, event.by)


def resource_deleted(tx: Unit, event: ResourceDeleted) -> None:
    """There is nothing left that they are for."""
    _told(tx, tx.standing_grants.end_at(event.uri, "resource_deleted", tx.now), event.by)


def action_type_changed(tx: Unit, event: ActionTypeChanged) -> None:
    """What an action of this type means has changed."""
    _told(tx, tx.standing_grants.end_of_type(event.type, "type_changed", tx.now), event.by)


def consent_ended(tx: Unit, event: ConsentEnded) -> None:
    """The person took back what they let this agent have there."""
    consent = event.consent
    ended = tx.standing_grants.end_between(
        consent.user_id, consent.client_id, consent.resource, "consent_revoked", tx.now
    )
    _told(tx, ended, event.by)


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
