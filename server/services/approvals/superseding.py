"""Superseding: an agent's new request replaces an earlier one.

Both happen in one unit of work: if the new request is refused, the earlier one stays pending.
Owns: which request can be superseded, and ending it. Never: the new request (`ciba`).
"""

import hashlib
import json
from typing import Final

from server.model.approvals import Approval
from server.model.clients import Agent
from server.model.store import Unit, View
from server.model.users import User
from server.protocol import errors
from server.protocol.approvals.states import State, overdue
from server.services.approvals.withdrawals import withdraw
from server.services.audit import audit

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
