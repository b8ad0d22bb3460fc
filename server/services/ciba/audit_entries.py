"""The audit entries of an agent's request: requested, or refused.

Owns: the entries, and the error of a refusal. Never: whether someone is asked.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType

from server.model.approvals import Approval
from server.model.audit import Entry
from server.model.store import Unit
from server.protocol import errors
from server.protocol.text import display_safe
from server.services.audit import audit, floods
from server.services.ciba.plans import BackchannelCall, RequestPlan
from server.services.policy import refusals

_NO_MEMBERS: Mapping[str, object] = MappingProxyType({})


def refuse(
    tx: Unit,
    call: BackchannelCall,
    plan: RequestPlan,
    reason: str,
    text: str,
    members: Mapping[str, object] = _NO_MEMBERS,
) -> errors.RequestRefused:
    """Record that policy refused the request; returns the error (CIBA 13)."""
    floods.record_refusal(
        tx,
        Entry(
            type=audit.Type.APPROVAL_REFUSED,
            actor=audit.by_agent(call.agent.id),
            agent_id=call.agent.id,
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
            caller_id=None if call.caller is None else call.caller.client,
        ),
    )
    members_sent = {"reason": reason} if reason in refusals.AGENT_CODES else members
    return errors.RequestRefused(text, detail=reason, members=members_sent)


def refuse_ruled_out(
    tx: Unit, call: BackchannelCall, plan: RequestPlan
) -> errors.RequestRefused | None:
    """Return the refusal if policy forbids it or too few people can be asked."""
    if not (plan.by.asked and plan.by.is_ruled_out):
        return None
    if plan.needs is None:
        return refuse(tx, call, plan, refusals.DENIED, refusals.FORBIDDEN)
    text = refusals.too_few_text(plan.needs.quorum, plan.by.people.count)
    return refuse(tx, call, plan, refusals.TOO_FEW, text)


def _said(message: str | None) -> Mapping[str, object]:
    """Return the agent's own words, such as which tool was called."""
    return {} if message is None else {"agent_says": display_safe(message)}


def record(tx: Unit, kind: audit.Type, call: BackchannelCall, approval: Approval) -> None:
    """Record that the agent asked."""
    audit.record(
        tx,
        audit.approval_entry(
            approval,
            kind,
            actor=audit.by_agent(call.agent.id),
            decision="asked",
            facts={
                "display_digest": approval.display_digest,
                "expires_at": approval.expires_at,
                "scope": approval.scope,
                "types": [str(detail["type"]) for detail in call.request.details],
                **_said(call.request.binding_message),
                "policy": json.loads(approval.policy),
                **({"supersedes": approval.supersedes} if approval.supersedes else {}),
            },
        ),
    )
