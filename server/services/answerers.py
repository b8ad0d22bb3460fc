"""Who or what answers a request for a person: an answer that they gave ahead, or people.

Owns: the order in which these come, for whoever enforces and whoever explains. Never: what policy
says, who the people are, or taking a use of what was given ahead.
"""

from dataclasses import dataclass

from server.services import deciders, eligible, standing_uses
from server.services.deciders import Decider
from server.services.eligible import NOBODY_ELSE, People
from server.services.policy.judging import Case
from server.services.policy.questions import Verdict
from server.services.ports import View
from server.services.records import Agent
from server.services.standing_uses import Fit


@dataclass(frozen=True, slots=True)
class Answerers:
    """What answers one case at `/bc-authorize`."""

    verdict: Verdict
    """What policy says, with the words for whoever is asked."""
    people: People = NOBODY_ELSE
    """Who is asked."""
    decider: Decider | None = None
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
    view: View, case: Case, verdict: Verdict, *, acr: bool = False, hinted: bool = False
) -> Answerers:
    """What answers it: a consent or a grant given ahead, else people.

    `acr`: the agent wants the person's own answer, which no grant is. `hinted`: it comes from an
    exchange that took the consent for no answer.
    """
    verdict, decider = deciders.found(view, case, verdict, wants_person=acr or hinted)
    if decider is not None:
        return Answerers(verdict, decider=decider)
    fits = () if acr else tuple(standing_uses.fits(view, case, verdict))
    if fits or not isinstance(case.agent, Agent):
        return Answerers(verdict, fits=fits)
    return Answerers(verdict, eligible.asked(view, verdict, case.agent, case.user))
