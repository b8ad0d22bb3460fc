"""The sources of a decision: a consent, a standing grant, or approvers.

Owns: the order of these, for enforcement and for explanation. Never: evaluating policy,
eligibility, or reserving a use of a grant.
"""

from dataclasses import dataclass

from server.model.approvals import AutomaticDecision
from server.model.clients import Agent
from server.model.store import View
from server.protocol.policy.questions import Verdict
from server.services.approvers import automatic_decisions, eligible
from server.services.approvers.eligible import ONLY_THE_USER, EligibleApprovers
from server.services.policy.evaluation import PolicyRequest
from server.services.standing_grants import uses
from server.services.standing_grants.uses import CoveringGrant


@dataclass(frozen=True, slots=True)
class AnswerSources:
    """The source of the decision for one request at `/bc-authorize`."""

    verdict: Verdict
    """The verdict of policy, with the reason for approvers."""
    people: EligibleApprovers = ONLY_THE_USER
    """The approvers to ask."""
    decider: AutomaticDecision | None = None
    """The consent that decides it, if any."""
    fits: tuple[CoveringGrant, ...] = ()
    """The standing grants that cover it; one of them may decide it."""

    @property
    def asked(self) -> bool:
        """Whether a person has to decide."""
        return self.decider is None and not self.fits

    @property
    def quorum(self) -> int:
        """How many people must approve."""
        needs = self.verdict.needs
        return 1 if needs is None or self.decider is not None else needs.quorum

    @property
    def is_ruled_out(self) -> bool:
        """Whether the request is refused, by a rule or for too few eligible approvers."""
        return self.verdict.outcome == "deny" or self.quorum > self.people.count


def find_answer_sources(
    view: View, case: PolicyRequest, verdict: Verdict, *, acr: bool = False, hinted: bool = False
) -> AnswerSources:
    """Find what decides a request: a consent, else standing grants, else approvers.

    `acr`: the agent requires a person's own answer, so neither a consent nor a grant decides.
    `hinted`: the request comes from an exchange, so no consent decides.
    """
    verdict, decider = automatic_decisions.find_automatic_decision(
        view, case, verdict, wants_person=acr or hinted
    )
    if decider is not None:
        return AnswerSources(verdict, decider=decider)
    fits = () if acr else tuple(uses.covering_grants(view, case, verdict))
    if fits or not isinstance(case.agent, Agent):
        return AnswerSources(verdict, fits=fits)
    return AnswerSources(
        verdict, eligible.eligible_for_verdict(view, verdict, case.agent, case.user)
    )
