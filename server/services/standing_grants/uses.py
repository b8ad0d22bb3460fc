"""Using standing grants: a use is reserved when a request is made, and given back or spent later.

Owns: which grant stands for which request, and the life of a use. Never: giving or ending one.

Whoever touches a grant and an approval at once queues for the grant first, so that no two wait for
each other; only requests that a grant decided take these steps at all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from server.model.approvals import Approval, AutomaticDecision
from server.model.clients import Agent
from server.model.standing_grants import StandingGrant
from server.model.store import Unit, View
from server.model.users import User
from server.protocol.approvals import ceremonies
from server.protocol.policy import uses as amounts
from server.protocol.policy.questions import Approvals, Requirements, Verdict
from server.protocol.policy.risks import Risk
from server.protocol.standing_grants import standing_grants
from server.services.policy.judging import Judge, JudgedRequest
from server.services.standing_grants.reservations import GRANT, grant_of
from server.services.users import user_or_group


@dataclass(frozen=True, slots=True)
class Fit:
    """A grant that covers a request, and what the request takes from its sum."""

    grant: StandingGrant
    minor: int


def fits(view: View, case: JudgedRequest, verdict: Verdict, at: int | None = None) -> Iterator[Fit]:
    """The grants that stand for this person's answer, oldest first; full ones are left out.

    At a moment of the past: those of then that nobody has ended since, with the room of now.

    1. It is in force, of this very person, for this agent at this resource.  2. Policy asks no more
    than it was given with.  3. The type is as it was.  4. The request is like the example.  5.
    There is room for it.
    """
    needs, user = verdict.needs, case.user
    if needs is None or user is None:
        return
    uri, money = case.target.resource.uri, amounts.money(case.details)
    now = view.now if at is None else at
    # Looked up for everybody, so that the time does not reveal who the agent may ask.
    live = view.standing_grants.live(user.id, case.agent.id, uri, now)
    for grant in live if _may_ask(view, user, case) else ():
        if at is not None and grant.created_at >= at:
            continue
        if not _stands_for(grant, needs, case, verdict.risk) or not _same_type(view, grant):
            continue
        if standing_grants.misfit(grant.pattern, case.target.scope, case.details) is not None:
            continue
        minor = standing_grants.cost(grant.bounds, money)
        if minor is not None and standing_grants.reserve(grant.bounds, grant.taken, minor, now):
            yield Fit(grant, minor)


def reserve(
    tx: Unit, found: Iterable[Fit], verdict: Verdict, approval_id: str
) -> AutomaticDecision | None:
    """Take one use for this approval; None when no grant covers it, or none has room any more."""
    for fit in found:
        use = tx.standing_grants.reserve(fit.grant.id, approval_id, fit.minor, tx.now)
        if use is not None:
            said = {GRANT: fit.grant.id, "use": use.number, "policy": verdict.source.version}
            return AutomaticDecision(said, notifies=fit.grant.tell)
    return None


def holds(view: View, judge: Judge, case: JudgedRequest, approval: Approval) -> bool:
    """Reports whether the grant that decided a request is enough for it today."""
    grant = view.standing_grants.get(grant_of(approval) or "")
    if grant is None or not _same_type(view, grant):
        return False
    done, by = ceremonies.parse_ceremony(approval.ceremony), frozenset({approval.user_id or ""})
    said = Approvals(1, approval.risk, done, by, ahead=True)
    fit = case.risk.rank <= approval.risk.rank and _allowed(grant, case, approval.risk)
    return fit and judge.holds(view, case, said)


def _may_ask(view: View, user: User, case: JudgedRequest) -> bool:
    """Reports whether the agent may still name this person."""
    agent = case.agent
    return isinstance(agent, Agent) and (
        agent.asks is None or user_or_group.among(view, user.id, agent.asks)
    )


def _stands_for(grant: StandingGrant, needs: Requirements, case: JudgedRequest, risk: Risk) -> bool:
    """Reports whether what the person did to give it is all that policy asks now, of anybody."""
    done, by = ceremonies.parse_ceremony(grant.ceremony), frozenset({grant.user_id})
    said = Approvals(1, grant.risk, done, by, ahead=True)
    return needs.met_by(said, grant.user_id) and _allowed(grant, case, risk)


def _allowed(grant: StandingGrant, case: JudgedRequest, risk: Risk) -> bool:
    """Reports whether it was given for this risk, and may still be."""
    may_be_high = isinstance(case.agent, Agent) and case.agent.high_grants
    return risk.rank <= grant.risk.rank and (may_be_high or risk.rank < Risk.HIGH.rank)


def _same_type(view: View, grant: StandingGrant) -> bool:
    if grant.type is None:
        return True
    row = view.directory.action(grant.type)
    return row is not None and row.version == grant.version
