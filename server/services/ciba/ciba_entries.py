"""What the log says of a request of an agent: that it was made, or why nobody was asked.

Owns: the entries, and the refusal that goes with one. Never: whether somebody is asked.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType

from server.model.approvals import Approval
from server.model.audit import Entry
from server.model.store import Unit
from server.protocol import errors
from server.services.audit import audit, floods
from server.services.ciba.plans import BackchannelCall, RequestPlan
from server.services.policy import refusals

_NOTHING_MORE: Mapping[str, object] = MappingProxyType({})


def refuse(  # the facts of one refusal
    tx: Unit,
    ask: BackchannelCall,
    plan: RequestPlan,
    reason: str,
    text: str,
    members: Mapping[str, object] = _NOTHING_MORE,
) -> errors.RequestRefused:
    """Write down that policy refused, and say so; nobody is asked (CIBA 13)."""
    floods.record_refusal(
        tx,
        Entry(
            type=audit.Type.APPROVAL_REFUSED,
            actor=audit.by_agent(ask.agent.id),
            agent_id=ask.agent.id,
            resource=plan.target.resource.uri,
            action=" ".join([*plan.target.scope, *(action.type for action in plan.actions)]),
            decision="refused",
            posture=plan.risk,
            cause=reason,
            facts={
                "policy": plan.verdict.facts(),
                "scope": list(plan.target.scope),
                "types": [action.type for action in plan.actions],
            },
        ),
    )
    told = {"reason": reason} if reason in refusals.AGENT_CODES else members
    return errors.RequestRefused(text, detail=reason, members=told)


def record(tx: Unit, kind: audit.Type, ask: BackchannelCall, approval: Approval) -> None:
    """Write down that the agent asked."""
    audit.record(
        tx,
        audit.approval_entry(
            approval,
            kind,
            actor=audit.by_agent(ask.agent.id),
            decision="asked",
            facts={
                "display_digest": approval.display_digest,
                "expires_at": approval.expires_at,
                "scope": approval.scope,
                "policy": json.loads(approval.policy),
                **({"supersedes": approval.supersedes} if approval.supersedes else {}),
            },
        ),
    )
