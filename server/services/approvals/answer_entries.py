"""The audit entry of a person's answer.

Owns: the facts of the entry. Never: deciding whether the answer counts.
"""

import json

from server.model.approvals import Approval, Decision
from server.model.granted import effective_digest
from server.model.store import Unit
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.services.approvals import votes
from server.services.audit import audit


def record_answer(tx: Unit, approval: Approval, answer: Decision) -> None:
    """Write the audit entry of an answer that was just stored."""
    tx.audit.add(
        audit.approval_entry(
            approval,
            _entry_type(approval, answer),
            actor=audit.by_user(answer.user_id),
            decision=str(approval.state),
            cause=answer.code,
            facts={
                "kind": approval.kind,
                "device": answer.device_id,
                "channel": answer.channel,
                "ceremony": answer.ceremony,
                "signed": answer.jws,
                "display_digest": approval.display_digest,
                "policy": json.loads(approval.policy),
                **({} if answer.reason is None else {"reason": answer.reason}),
                **({} if answer.private_note is None else {"note": answer.private_note}),
                **({"granted_digest": effective_digest(approval)} if approval.granted else {}),
                **({"stands_for": answer.stands_for} if answer.stands_for else {}),
                **({"self_approved": True} if self_approved(approval, answer) else {}),
                **_quorum_facts(tx, approval),
            },
        ),
    )


def _entry_type(approval: Approval, answer: Decision) -> audit.Type:
    if answer.decision == "deny":
        return audit.Type.APPROVAL_DENIED
    if answer.decision == "withdraw":
        return audit.Type.APPROVAL_VOTE_WITHDRAWN
    is_pending = approval.state is State.PENDING
    return audit.Type.APPROVAL_VOTED if is_pending else audit.Type.APPROVAL_APPROVED


def self_approved(approval: Approval, answer: Decision) -> bool:
    """Return whether a critical request was approved only by the user it is for."""
    is_own = answer.user_id == approval.user_id and answer.decision == "approve"
    return is_own and approval.risk is Risk.CRITICAL and approval.quorum == 1


def _quorum_facts(tx: Unit, approval: Approval) -> dict[str, object]:
    """Return who has approved so far, if the request needs several approvers."""
    if approval.quorum == 1:
        return {}
    answers = tx.decisions.of_approval(approval.id)
    approved_by = [answer.user_id for answer in votes.valid_approvals(answers)]
    voided = [
        answer.user_id for answer in answers if answer.decision == "approve" and answer.voided_at
    ]
    return {"quorum": approval.quorum, "yes": approved_by, **({"void": voided} if voided else {})}
