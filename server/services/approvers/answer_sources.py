"""What decides a request: a consent, a standing grant, or the eligible approvers.

A consent decides a request that policy allows. An approval is created even then, with its texts and
audit entries. It names what decided, and its token does not claim that a person answered.
Owns: the order of the sources, for enforcement and for explanations; finding the people who meet
policy's requirements. Never: evaluating policy, counting votes, or reserving uses of a grant.
"""

import json
from dataclasses import dataclass, replace
from typing import Final

from server.model.approvals import Approval, AutomaticDecision, automatic_decision
from server.model.approvers import NamedApprover
from server.model.clients import Agent
from server.model.consents import Consent
from server.model.store import Unit, View
from server.model.users import User
from server.protocol.approvals.states import State
from server.protocol.policy.questions import NO_APPROVALS, Requirements, Verdict
from server.services.audit import audit
from server.services.notifications import notices
from server.services.policy.evaluation import Evaluator, PolicyRequest
from server.services.standing_grants import uses
from server.services.standing_grants.uses import CoveringGrant, grant_of
from server.services.users import user_checks

NOT_CONSENTED = "A rule allows this, but you have not consented to it."
WANTS_YOU = "A rule allows this, but the agent requests your own decision."
CALL_AFTER_MS = 1_000
"""The delay of the callback, so that the agent gets the response to its request first."""


def covering_consent(view: View, case: PolicyRequest, at: int | None = None) -> Consent | None:
    """Return the user's consent to the agent at a time, by default now, if it covers all scopes."""
    if case.user is None:
        return None
    resource = case.target.resource.uri
    consent = view.consents.live(case.user.id, case.agent.id, resource, at or view.now)
    covers = consent is not None and set(case.target.scope) <= set(consent.scopes)
    return consent if covers else None


def approve_automatically(approval: Approval, decider: AutomaticDecision, now: int) -> Approval:
    """Return the new request, approved automatically."""
    facts = json.dumps(decider.facts, sort_keys=True, separators=(",", ":"))
    return replace(approval, state=State.APPROVED, decided_at=now, decided_by=facts)


def record_and_notify(tx: Unit, approval: Approval, *, screens: bool = True) -> None:
    """Record an automatic decision, and notify the user's screens and the agent."""
    tx.audit.add(
        audit.approval_entry(
            approval,
            audit.Type.APPROVAL_ALLOWED,
            decision=str(approval.state),
            facts={
                "decided_by": automatic_decision(approval),
                "given_in": _granting_approval_id(tx, approval),
                "display_digest": approval.display_digest,
                "policy": json.loads(approval.policy),
            },
        ),
    )
    notices.approval(tx, approval, "approval.decided", call_after_ms=CALL_AFTER_MS, screens=screens)


def _granting_approval_id(view: View, approval: Approval) -> str | None:
    """Return the ID of the approval that created the deciding consent or standing grant."""
    grant = view.standing_grants.get(grant_of(approval) or "")
    source = deciding_consent(view, approval) or grant
    return None if source is None else source.approval_id


def deciding_consent(view: View, approval: Approval) -> Consent | None:
    """Return the consent that decided a request; None if no consent did."""
    consent = (automatic_decision(approval) or {}).get("consent")
    return None if consent is None else view.consents.get(str(consent))


def is_still_valid(
    view: View, evaluator: Evaluator, case: PolicyRequest, approval: Approval
) -> bool:
    """Return whether the deciding consent is active and policy still allows the request."""
    deciding, current = deciding_consent(view, approval), covering_consent(view, case)
    is_same = current is not None and deciding is not None and current.id == deciding.id
    return is_same and evaluator.holds(view, case, NO_APPROVALS)


@dataclass(frozen=True, slots=True)
class EligibleApprovers:
    """The people to ask, and how many of them can approve."""

    others: tuple[NamedApprover, ...]
    """The approvers to store; includes the user if rules name approvers or exclude the user."""
    count: int


ONLY_THE_USER: Final = EligibleApprovers((), 1)


@dataclass(frozen=True, slots=True)
class AnswerSources:
    """Who or what decides a request at `/bc-authorize`."""

    verdict: Verdict
    """The verdict of policy, with the reason for approvers."""
    people: EligibleApprovers = ONLY_THE_USER
    """The approvers to ask."""
    decider: AutomaticDecision | None = None
    """The consent that decides it, if any."""
    covering_grants: tuple[CoveringGrant, ...] = ()
    """The standing grants that cover it; one of them may decide it."""

    @property
    def needs_person(self) -> bool:
        """Whether a person has to decide."""
        return self.decider is None and not self.covering_grants

    @property
    def quorum(self) -> int:
        """How many people must approve."""
        needs = self.verdict.requirements
        return 1 if needs is None or self.decider is not None else needs.quorum

    @property
    def is_ruled_out(self) -> bool:
        """Whether a person has to decide, but a rule denies it or too few people are eligible."""
        is_denied = self.verdict.outcome == "deny"
        return self.needs_person and (is_denied or self.quorum > self.people.count)


def find_answer_sources(
    view: View,
    case: PolicyRequest,
    verdict: Verdict,
    *,
    requires_person: bool = False,
    from_exchange: bool = False,
) -> AnswerSources:
    """Find what decides a request: a consent, or else standing grants, or else approvers.

    `requires_person`: the agent requires a person's own answer, so neither a consent nor a grant
    decides.
    `from_exchange`: the request comes from an exchange, so no consent decides.
    """
    verdict, decider = _automatic_decision(
        view, case, verdict, wants_person=requires_person or from_exchange
    )
    if decider is not None:
        return AnswerSources(verdict, decider=decider)
    covering_grants = () if requires_person else tuple(uses.covering_grants(view, case, verdict))
    if covering_grants:
        return AnswerSources(verdict, covering_grants=covering_grants)
    return AnswerSources(verdict, eligible_for_verdict(view, case, verdict))


def _automatic_decision(
    view: View, case: PolicyRequest, verdict: Verdict, *, wants_person: bool
) -> tuple[Verdict, AutomaticDecision | None]:
    """Return the verdict and the deciding consent, or the verdict with why a person is asked."""
    if verdict.outcome != "allow" or case.user is None:
        return verdict, None
    if wants_person:
        return replace(verdict, because=WANTS_YOU), None
    consent = covering_consent(view, case)
    if consent is None:
        return replace(verdict, because=NOT_CONSENTED), None
    return verdict, AutomaticDecision({"consent": consent.id, "policy": verdict.source.version})


def eligible_for_verdict(view: View, case: PolicyRequest, verdict: Verdict) -> EligibleApprovers:
    """Return the eligible approvers for a verdict; only the user if no agent asks for approval."""
    if verdict.requirements is None or not isinstance(case.agent, Agent):
        return ONLY_THE_USER
    return find_eligible(view, verdict.requirements, case.agent, case.user)


def find_eligible(
    view: View, needs: Requirements, agent: Agent, user: User | None
) -> EligibleApprovers:
    """Return the eligible approvers: the user the request is for, and others.

    `others` are the approvers that rules name. If rules name none, they are the agent's owners and
    the administrators, but only for a quorum above 1 or if the user is excluded. Disabled users are
    left out. If `user` is None, the result is the same as for a user whom no rule names.
    """
    if needs.approvers is not None:
        return _named_by_rules(view, needs, user)
    excluded = user is not None and user.id in needs.excluded
    if needs.quorum == 1 and not excluded:
        return ONLY_THE_USER
    own_id = set() if user is None else {user.id}
    others = {*agent.owners, *view.directory.administrators()} - needs.excluded - own_id
    approvers = [
        NamedApprover(user_id, "backup")
        for user_id in sorted(others)
        if user_checks.is_enabled(view, user_id)
    ]
    viewers = [NamedApprover(user_id, "asked", approves=False) for user_id in own_id if excluded]
    return EligibleApprovers((*viewers, *approvers), len(approvers) + (not excluded))


def _named_by_rules(view: View, needs: Requirements, user: User | None) -> EligibleApprovers:
    counted = [
        user_id for user_id in sorted(needs.eligible) if user_checks.is_enabled(view, user_id)
    ]
    approvers = [approver_by_rule(view, needs, user_id) for user_id in counted]
    if user is not None and user.id not in counted:
        approvers.append(NamedApprover(user.id, "asked", approves=False))
    return EligibleApprovers(tuple(approvers), len(counted))


def approver_by_rule(view: View, needs: Requirements, user_id: str) -> NamedApprover:
    """Return an approver whom rules name, with the first of their groups in the rules, if any."""
    members = view.directory.members()
    group = next((name for name in sorted(needs.groups) if user_id in members.get(name, ())), None)
    return NamedApprover(user_id, "asked" if group is None else "group", group_id=group)
