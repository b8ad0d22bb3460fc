"""What the log says of every approval, whatever happened to it: whose it is, and how grave.

Owns: the members that all entries about approvals share. Never: what happened, or who did it.
"""

from collections.abc import Mapping
from types import MappingProxyType

from server.services import audit
from server.services.approval_records import Approval
from server.services.records import Entry

_NOTHING_MORE: Mapping[str, object] = MappingProxyType({})


def entry(
    approval: Approval,
    kind: audit.Type,
    *,
    actor: str = audit.SYSTEM,
    decision: str | None = None,
    cause: str | None = None,
    facts: Mapping[str, object] = _NOTHING_MORE,
) -> Entry:
    """The entry to record of what happened to the approval."""
    return Entry(
        type=kind,
        actor=actor,
        agent_id=approval.agent_id,
        subject=approval.user_id,
        resource=approval.resource,
        action=approval.action_digest,
        decision=decision,
        posture=approval.risk,
        cause=cause,
        approval_id=approval.id,
        facts=facts,
    )
