"""Withdraws open approvals.

The agent withdraws or supersedes them, or the agent, user or resource is disabled or deleted.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from server.model.approvals import Approval
from server.model.reactions import (
    AgentDeactivated,
    AgentReplaced,
    AppDeactivated,
    Ended,
    ResourceDeleted,
    UserDisabled,
)
from server.model.store import Unit
from server.protocol.approvals.states import State
from server.services.audit import audit
from server.services.notifications import notices
from server.services.standing_grants import uses

SUPERSEDED: Final = "superseded"
"""The reason for closing a superseded request, for its agent, the audit log and the screens."""
WITHDRAWN: Final = "withdrawn"
"""The reason for closing a withdrawn request, for the audit log and the screens."""
_NO_FACTS: Final[Mapping[str, object]] = {}


def withdraw(
    tx: Unit,
    approvals: Iterable[Approval],
    *,
    reason: str,
    actor: str,
    facts: Mapping[str, object] = _NO_FACTS,
) -> int:
    """Cancel those that are open, each with an audit entry and an event; return their number."""
    return sum(_withdraw(tx, approval, reason, actor, facts) for approval in approvals)


def cancel(tx: Unit, client_id: str, handle: str) -> bool:
    """Cancel the client's open request with this `auth_req_id`; return whether it did.

    A redeemed request is not undone; the client can revoke its token.
    """
    approval = tx.approvals.by_handle(hashlib.sha256(handle.encode()).digest())
    if approval is None or approval.agent_id != client_id:
        return False
    return withdraw(tx, [approval], reason=WITHDRAWN, actor=audit.by_agent(client_id)) > 0


def agent_deactivated(tx: Unit, event: AgentDeactivated) -> Ended:
    """Cancel the agent's open requests, and those from agents that are handling its calls."""
    agent = event.agent
    cases = [
        (approval, f"agent_{agent.state}") for approval in tx.approvals.open_of_agent(agent.id)
    ]
    cases += [(approval, "caller_disabled") for approval in tx.approvals.open_of_caller(agent.id)]
    cancelled = [
        approval
        for approval, reason in cases
        if withdraw(tx, [approval], reason=reason, actor=event.by)
    ]
    approved = sum(approval.state is State.APPROVED for approval in cancelled)
    return Ended(requests=len(cancelled), approved=approved)


def agent_replaced(tx: Unit, event: AgentReplaced) -> None:
    """Cancel the unsigned standing grants for an agent whose credentials or owners changed."""
    approvals = tx.approvals.open_of_agent(event.agent_id)
    grants = [approval for approval in approvals if approval.kind == "standing_grant"]
    withdraw(tx, grants, reason=event.reason, actor=event.by)


def app_deactivated(tx: Unit, event: AppDeactivated) -> Ended:
    """Cancel the open requests from agents that are handling the app's calls."""
    approvals = tx.approvals.open_of_caller(event.app_id)
    return Ended(withdraw(tx, approvals, reason="caller_disabled", actor=audit.SYSTEM))


def user_disabled(tx: Unit, event: UserDisabled) -> Ended:
    """Cancel the open requests to the user."""
    approvals = tx.approvals.open_of_user(event.user.id)
    return Ended(withdraw(tx, approvals, reason="user_disabled", actor=event.by))


def resource_deleted(tx: Unit, event: ResourceDeleted) -> Ended:
    """Cancel the open requests for the resource."""
    approvals = tx.approvals.open_at_resource(event.uri)
    return Ended(withdraw(tx, approvals, reason="resource_deleted", actor=event.by))


def _withdraw(
    tx: Unit, approval: Approval, reason: str, actor: str, facts: Mapping[str, object]
) -> bool:
    uses.lock_grant(tx, approval)
    cancelled = tx.approvals.transition(approval, State.CANCELLED, now=tx.now, reason=reason)
    if cancelled is None:
        return False
    uses.release(tx, cancelled)
    tx.audit.add(
        audit.approval_entry(
            cancelled,
            audit.Type.APPROVAL_CANCELLED,
            actor=actor,
            decision="cancelled",
            cause=reason.partition(":")[0],  # a person typed the rest, which is stored as a fact
            facts=facts,
        ),
    )
    notices.approval(tx, cancelled, "approval.cancelled")
    return True
