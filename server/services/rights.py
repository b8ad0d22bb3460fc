"""What an open approval stands on, judged as things are now.

Asked when a person decides and again when the token is minted. Whatever was tightened meanwhile
wins: a ceiling, a risk, a required type, whom the agent may ask, the grant itself.
"""

import json
from dataclasses import dataclass

from server.protocol import errors, names
from server.protocol.risks import Risk, highest
from server.services import targets
from server.services.ports import Unit
from server.services.records import Agent, Approval
from server.services.schemas import Schemas

POLICY_CHANGED = "policy_changed"
PARENT_ENDED = "parent_ended"
"""The token of whose exchange it came has run out or was revoked."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Judges approvals again."""

    schemas: Schemas

    def gone(self, tx: Unit, approval: Approval) -> str | None:
        """What this approval stood on and is no longer there; None when it still holds."""
        agent = tx.directory.agent(approval.agent_id)
        if agent is None or not agent.active(tx.now):
            return "agent_disabled"
        user = tx.directory.user(approval.user_id or "")
        if user is None or not user.enabled:
            return "user_disabled"
        if tx.directory.resource(approval.resource) is None:
            return "resource_deleted"
        if not _parent_holds(tx, approval):
            return PARENT_ENDED
        outside = agent.asks is not None and user.id not in agent.asks
        if names.GRANT_CIBA not in agent.grant_types or outside:
            return POLICY_CHANGED
        risk = self._risk(tx, agent, approval)
        return POLICY_CHANGED if risk is None or risk.rank > approval.risk.rank else None

    def _risk(self, tx: Unit, agent: Agent, approval: Approval) -> Risk | None:
        """The risk of the same request today; None when it would be refused."""
        try:
            scope = tuple(approval.scope.split())
            target = targets.resolve(tx.directory, agent, approval.resource, scope)
            details = json.loads(approval.details)
            actions = self.schemas.check(tx.directory, details, agent.action_types)
            targets.check_required_types(target, frozenset(action.type for action in actions))
        except errors.ProtocolError:
            return None
        return highest([target.risk, *(action.risk for action in actions)])


def _parent_holds(tx: Unit, approval: Approval) -> bool:
    """Reports whether the token of whose exchange it came is in force; none can come out after."""
    held = approval.parent_id
    return held is None or tx.delegations.extend(held, tx.now) is not None
