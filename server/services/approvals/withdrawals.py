"""Withdrawing open approvals: by their agent, by a request that replaces them, or by an end.

An end is that of their agent, user or resource.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Final

from server.model.approvals import Approval
from server.model.clients import Agent
from server.model.reactions import (
    AgentDeactivated,
    AppDeactivated,
    Ended,
    ResourceDeleted,
    UserDisabled,
)
from server.model.store import Unit, View
from server.model.users import User
from server.protocol import errors
from server.protocol.approvals.states import State, overdue
from server.services.audit import audit
from server.services.notifications import notices
from server.services.standing_grants import reservations

SUPERSEDED: Final = "superseded"
"""The reason of the earlier request, for its agent, the audit log and the screens."""


def find_superseded(
    view: View, agent: Agent, user: User, handle: str | None, hint_hash: bytes | None = None
) -> Approval | None:
    """Find the request to supersede; None if the new request names none.

    1. It is this agent's; another agent's looks like an unknown one.  2. It is pending.  3. It asks
    the same user. With `hint_hash`, the login hints must be equal instead, so that the agent does
    not learn whether two hints mean one user. Raises errors.InvalidRequest.
    """
    if handle is None:
        return None
    found = view.approvals.by_handle(hashlib.sha256(handle.encode()).digest())
    if found is None or (found.agent_id, found.kind) != (agent.id, "action"):
        raise errors.InvalidRequest("supersedes must be the auth_req_id of one of your requests.")
    if found.state is not State.PENDING or overdue(found.state, found.expires_at, view.now):
        raise _no_longer_pending()
    asks_the_same = json.loads(found.action)["user"] == user.id
    if not (asks_the_same if hint_hash is None else found.hint_hash == hint_hash):
        raise errors.InvalidRequest(
            "supersedes names a request to another person. A new request must ask the same person."
        )
    return found


def cancel_superseded(tx: Unit, earlier: Approval, newer: Approval) -> None:
    """Cancel the earlier request.

    Raises errors.InvalidRequest if it was answered in the meantime.
    """
    actor, facts = audit.by_agent(newer.agent_id), {"superseded_by": newer.id}
    if not withdraw(tx, [earlier], reason=SUPERSEDED, actor=actor, facts=facts):
        raise _no_longer_pending()


def _no_longer_pending() -> errors.InvalidRequest:
    return errors.InvalidRequest(
        "supersedes names a request that is no longer pending. Fetch its answer, then omit it."
    )


WITHDRAWN: Final = "withdrawn"
"""The reason of a withdrawn request, in the audit log and on the screens."""
_NOTHING_MORE: Final[Mapping[str, object]] = {}


def withdraw(
    tx: Unit,
    approvals: Iterable[Approval],
    *,
    reason: str,
    actor: str,
    facts: Mapping[str, object] = _NOTHING_MORE,
) -> int:
    """Cancel the open ones, each with an audit entry and an event; returns how many."""
    return sum(_withdraw(tx, approval, reason, actor, facts) for approval in approvals)


def cancel(tx: Unit, client_id: str, handle: str) -> bool:
    """Cancel the client's open request with this `auth_req_id`; returns whether it did.

    A redeemed request is not undone; the client can revoke its token.
    """
    approval = tx.approvals.by_handle(hashlib.sha256(handle.encode()).digest())
    if approval is None or approval.agent_id != client_id:
        return False
    return withdraw(tx, [approval], reason=WITHDRAWN, actor=audit.by_agent(client_id)) > 0


def agent_deactivated(tx: Unit, event: AgentDeactivated) -> Ended:
    """Cancel the open requests of the agent, and those of other clients for its calls."""
    agent = event.agent
    found = [(one, f"agent_{agent.state}") for one in tx.approvals.open_of_agent(agent.id)]
    found += [(approval, "caller_disabled") for approval in tx.approvals.open_of_caller(agent.id)]
    ended = [one for one, why in found if withdraw(tx, [one], reason=why, actor=event.by)]
    approved = sum(one.state is State.APPROVED for one in ended)
    return Ended(requests=len(ended), approved=approved)


def app_deactivated(tx: Unit, event: AppDeactivated) -> Ended:
    """Cancel the open requests of agents for calls of the app."""
    found = tx.approvals.open_of_caller(event.app_id)
    return Ended(withdraw(tx, found, reason="caller_disabled", actor=audit.SYSTEM))


def user_disabled(tx: Unit, event: UserDisabled) -> Ended:
    """Cancel the open requests to the user."""
    found = tx.approvals.open_of_user(event.user.id)
    return Ended(withdraw(tx, found, reason="user_disabled", actor=event.by))


def resource_deleted(tx: Unit, event: ResourceDeleted) -> Ended:
    """Cancel the open requests for the resource."""
    found = tx.approvals.open_at_resource(event.uri)
    return Ended(withdraw(tx, found, reason="resource_deleted", actor=event.by))


def _withdraw(
    tx: Unit, approval: Approval, reason: str, actor: str, facts: Mapping[str, object]
) -> bool:
    reservations.lock_grant(tx, approval)
    moved = tx.approvals.transition(approval, State.CANCELLED, now=tx.now, reason=reason)
    if moved is None:
        return False
    reservations.release(tx, moved)
    tx.audit.add(
        audit.approval_entry(
            moved,
            audit.Type.APPROVAL_CANCELLED,
            actor=actor,
            decision="cancelled",
            cause=reason.partition(":")[0],  # the rest was typed, and is a fact
            facts=facts,
        ),
    )
    notices.approval(tx, moved, "approval.cancelled")
    return True
