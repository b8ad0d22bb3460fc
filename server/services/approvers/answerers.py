"""Who or what answers a request for a person: an answer that they gave ahead, or people.

Owns: the order in which these come, for whoever enforces and whoever explains. Never: what policy
says, who the people are, or taking a use of what was given ahead.
"""

from dataclasses import dataclass

from server.model.approvals import AutomaticDecision
from server.model.clients import Agent
from server.model.store import View
from server.protocol.policy.questions import Verdict
from server.services.approvers import deciders, eligible
from server.services.approvers.eligible import NOBODY_ELSE, EligibleApprovers
from server.services.policy.judging import JudgedRequest
from server.services.standing_grants import uses
from server.services.standing_grants.uses import Fit


@dataclass(frozen=True, slots=True)
class AnswerSources:
    """What answers one case at `/bc-authorize`."""

    verdict: Verdict
    """What policy says, with the words for whoever is asked."""
    people: EligibleApprovers = NOBODY_ELSE
    """Who is asked."""
    decider: AutomaticDecision | None = None
    """What decides it instead of a person."""
    fits: tuple[Fit, ...] = ()
    """Standing grants of theirs, one of which may decide it."""

    @property
    def asked(self) -> bool:
        """Reports whether nothing stands in for the person's answer."""
        return self.decider is None and not self.fits

    @property
    def quorum(self) -> int:
        """How many people must say yes."""
        needs = self.verdict.needs
        return 1 if needs is None or self.decider is not None else needs.quorum

    @property
    def is_ruled_out(self) -> bool:
        """Reports whether nobody is asked, because of a rule or because too few could be."""
        return self.verdict.outcome == "deny" or self.quorum > self.people.count


def found(
    view: View, case: JudgedRequest, verdict: Verdict, *, acr: bool = False, hinted: bool = False
) -> AnswerSources:
    """What answers it: a consent or a grant given ahead, else people.

    `acr`: the agent wants the person's own answer, which no grant is. `hinted`: it comes from an
    exchange that took the consent for no answer.
    """
    verdict, decider = deciders.found(view, case, verdict, wants_person=acr or hinted)
    if decider is not None:
        return AnswerSources(verdict, decider=decider)
    fits = () if acr else tuple(uses.fits(view, case, verdict))
    if fits or not isinstance(case.agent, Agent):
        return AnswerSources(verdict, fits=fits)
    return AnswerSources(verdict, eligible.asked(view, verdict, case.agent, case.user))
