"""A newer request takes the place of an earlier one, because the agent of both says so.

Both stand or fall in one unit of work: where the newer one is not made, the earlier one goes on.
Owns: which one may be named, and its end. Never: the newer one (`ciba.py`).
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
"""Why the earlier one is over: to its agent, in the record and on people's screens."""


def named(
    view: View, agent: Agent, user: User, handle: str | None, hint_hash: bytes | None = None
) -> Approval | None:
    """The request whose place is taken; None when the new one names none.

    1. It is of this agent: another's looks like one that does not exist.  2. It waits for an
    answer.  3. It asks the same person, or names them in the same way where `hint_hash` says how:
    whether two names mean one person is not told then. Raises errors.InvalidRequest.
    """
    if handle is None:
        return None
    found = view.approvals.by_handle(hashlib.sha256(handle.encode()).digest())
    if found is None or (found.agent_id, found.kind) != (agent.id, "action"):
        raise errors.InvalidRequest("supersedes must be the auth_req_id of a request of yours.")
    if found.state is not State.PENDING or overdue(found.state, found.expires_at, view.now):
        raise _over()
    asks_the_same = json.loads(found.action)["user"] == user.id
    if not (asks_the_same if hint_hash is None else found.hint_hash == hint_hash):
        raise errors.InvalidRequest(
            "supersedes names a request to somebody else; a new one must ask the same person."
        )
    return found


def end(tx: Unit, earlier: Approval, newer: Approval) -> None:
    """End the earlier one for the newer one's sake.

    Raises errors.InvalidRequest when somebody has answered it meanwhile.
    """
    actor, facts = audit.by_agent(newer.agent_id), {"superseded_by": newer.id}
    if not withdraw(tx, [earlier], reason=SUPERSEDED, actor=actor, facts=facts):
        raise _over()


def _over() -> errors.InvalidRequest:
    return errors.InvalidRequest(
        "The request that supersedes names waits no more: fetch its answer, then ask without it."
    )
