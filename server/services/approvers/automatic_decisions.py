"""Automatic decisions: a consent decides a request that policy allows.

The approval is created all the same, with its texts and audit entries. It names what decided, and
its token does not claim that a person answered. Owns: when a consent decides, and recording it.
Never: evaluating policy.
"""

import json
from dataclasses import replace

from server.model.approvals import Approval, AutomaticDecision, automatic_decision
from server.model.consents import Consent
from server.model.store import Unit, View
from server.protocol.approvals.states import State
from server.protocol.policy.questions import NO_APPROVALS, Verdict
from server.services.audit import audit
from server.services.notifications import notices
from server.services.policy.evaluation import Evaluator, PolicyRequest

NOT_CONSENTED = "A rule allows this, but you have not consented to it."
WANTS_YOU = "A rule allows this, but the agent asks for your own answer."
CALL_AFTER_MS = 1_000
"""The delay of the callback, so that the agent gets the response to its request first."""


def find_automatic_decision(
    view: View, case: PolicyRequest, verdict: Verdict, *, wants_person: bool
) -> tuple[Verdict, AutomaticDecision | None]:
    """The consent that decides an allowed request; else the verdict with the reason for asking."""
    if verdict.outcome != "allow" or case.user is None:
        return verdict, None
    if wants_person:
        return replace(verdict, because=WANTS_YOU), None
    consent = covering_consent(view, case)
    if consent is None:
        return replace(verdict, because=NOT_CONSENTED), None
    return verdict, AutomaticDecision({"consent": consent.id, "policy": verdict.source.version})


def covering_consent(view: View, case: PolicyRequest, at: int | None = None) -> Consent | None:
    """The user's consent for this agent, now or at a time, if it covers every scope."""
    if case.user is None:
        return None
    resource = case.target.resource.uri
    consent = view.consents.live(case.user.id, case.agent.id, resource, at or view.now)
    covers = consent is not None and set(case.target.scope) <= set(consent.scopes)
    return consent if covers else None


def approve_automatically(approval: Approval, decider: AutomaticDecision, now: int) -> Approval:
    """Mark a new request as approved automatically."""
    said = json.dumps(decider.facts, sort_keys=True, separators=(",", ":"))
    return replace(approval, state=State.APPROVED, decided_at=now, decided_by=said)


def record_and_notify(tx: Unit, approval: Approval, *, screens: bool = True) -> None:
    """Record an automatic decision, and notify the user's screens and the agent."""
    audit.record(
        tx,
        audit.approval_entry(
            approval,
            audit.Type.APPROVAL_ALLOWED,
            decision=str(approval.state),
            facts={
                "decided_by": automatic_decision(approval),
                "display_digest": approval.display_digest,
                "policy": json.loads(approval.policy),
            },
        ),
    )
    notices.approval(tx, approval, "approval.decided", call_after_ms=CALL_AFTER_MS, screens=screens)


def deciding_consent(view: View, approval: Approval) -> Consent | None:
    """The consent that decided a request; None if none did."""
    consent = (automatic_decision(approval) or {}).get("consent")
    return None if consent is None else view.consents.get(str(consent))


def is_still_valid(
    view: View, evaluator: Evaluator, case: PolicyRequest, approval: Approval
) -> bool:
    """Return whether the deciding consent is active and policy still allows the request."""
    stands_on, now = deciding_consent(view, approval), covering_consent(view, case)
    same = now is not None and stands_on is not None and now.id == stands_on.id
    return same and evaluator.holds(view, case, NO_APPROVALS)
