"""Uses standing grants: a request reserves a use, which is later spent or released.

Owns: finding grants that cover a request, and reserving, spending and releasing a use.
Never: creating or revoking grants.

Code that changes a grant and an approval in one unit of work locks the grant first, to prevent
deadlocks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from server.model.approvals import Approval, AutomaticDecision, automatic_decision
from server.model.clients import Agent
from server.model.standing_grants import StandingGrant
from server.model.store import Unit, View
from server.model.users import User
from server.protocol.approvals import ceremonies
from server.protocol.policy import uses as amounts
from server.protocol.policy.questions import Approvals, Requirements, Verdict
from server.protocol.policy.risks import Risk
from server.protocol.standing_grants import standing_grants
from server.services.policy.evaluation import Evaluator, PolicyRequest

GRANT_MEMBER: Final = "standing_grant"
"""The member that names the grant, in the audit log and in the token."""


@dataclass(frozen=True, slots=True)
class CoveringGrant:
    """A grant that covers a request, and the amount that the request uses."""

    grant: StandingGrant
    minor: int


def covering_grants(
    view: View, case: PolicyRequest, verdict: Verdict, at: int | None = None
) -> Iterator[CoveringGrant]:
    """Yield the grants that cover a request, oldest first, except used-up ones.

    With `at`, yields the grants that were in force at that time and were not revoked since. Their
    current uses are counted.

    1. This user's grant for this agent and resource is in force.  2. Its ceremony satisfies
    policy. 3. The action type has the same version.  4. The request matches the pattern.  5. The
    request is within the remaining uses and amount.
    """
    needs, user = verdict.requirements, case.user
    if needs is None or user is None:
        return
    uri, money = case.target.resource.uri, amounts.money(case.details)
    now = view.now if at is None else at
    # Look this up for every user, so that timing does not reveal whom the agent may ask.
    grants = view.standing_grants.live(user.id, case.agent.id, uri, now)
    for grant in grants if _may_ask(view, user, case) else ():
        if at is not None and grant.created_at >= at:
            continue
        if not _satisfies(grant, needs, case, verdict.risk) or not _same_version(view, grant):
            continue
        if standing_grants.mismatch(grant.pattern, case.target.scope, case.details) is not None:
            continue
        minor = standing_grants.cost(grant.bounds, money)
        if minor is not None and standing_grants.reserve(grant.bounds, grant.usage, minor, now):
            yield CoveringGrant(grant, minor)


def reserve(
    tx: Unit, candidates: Iterable[CoveringGrant], verdict: Verdict, approval_id: str
) -> AutomaticDecision | None:
    """Reserve one use for this approval; None if no grant covers it anymore."""
    for covering in candidates:
        use = tx.standing_grants.reserve(covering.grant.id, approval_id, covering.minor, tx.now)
        if use is not None:
            decision = {
                GRANT_MEMBER: covering.grant.id,
                "use": use.number,
                "policy": verdict.source.version,
            }
            return AutomaticDecision(decision, notifies=covering.grant.notify)
    return None


def grant_of(approval: Approval) -> str | None:
    """Return the ID of the grant that decided a request; None if no grant did."""
    grant_id = (automatic_decision(approval) or {}).get(GRANT_MEMBER)
    return None if grant_id is None else str(grant_id)


def is_decided_by_grant(approval: Approval) -> bool:
    """Return whether a grant decided a request."""
    return grant_of(approval) is not None


def has_grant_ended(tx: Unit, approval: Approval) -> bool:
    """Return whether the deciding grant has ended; if not, keep it in force until the commit."""
    grant_id = grant_of(approval)
    return grant_id is not None and not tx.standing_grants.in_force(grant_id, tx.now)


def lock_grant(tx: Unit, approval: Approval) -> None:
    """Lock the deciding grant's uses in this unit of work."""
    if (grant_id := grant_of(approval)) is not None:
        tx.lock(f"standing grant {grant_id}")


def release(tx: Unit, approval: Approval) -> None:
    """Release the use that was reserved for a request."""
    if grant_of(approval) is not None:
        tx.standing_grants.release(approval.id)


def spend(tx: Unit, approval: Approval) -> None:
    """Mark the use that was reserved for a request as spent."""
    if grant_of(approval) is not None:
        tx.standing_grants.spend(approval.id)


def still_covers(view: View, evaluator: Evaluator, case: PolicyRequest, approval: Approval) -> bool:
    """Return whether the grant that decided a request still covers it."""
    grant = view.standing_grants.get(grant_of(approval) or "")
    if grant is None or not _same_version(view, grant):
        return False
    approvals = _approval_in_advance(approval.risk, approval.ceremony, approval.user_id or "")
    is_covered = case.risk.rank <= approval.risk.rank and _covers_risk(grant, case, approval.risk)
    return is_covered and evaluator.holds(view, case, approvals)


def _may_ask(view: View, user: User, case: PolicyRequest) -> bool:
    """Return whether the agent may ask this user."""
    agent = case.agent
    return isinstance(agent, Agent) and view.directory.includes(agent.asks, user.id)


def _satisfies(grant: StandingGrant, needs: Requirements, case: PolicyRequest, risk: Risk) -> bool:
    """Return whether the approval that created the grant satisfies the current requirements."""
    approvals = _approval_in_advance(grant.risk, grant.ceremony, grant.user_id)
    return needs.met_by(approvals, grant.user_id) and _covers_risk(grant, case, risk)


def _approval_in_advance(risk: Risk, ceremony: str, user_id: str) -> Approvals:
    """Return one user's approval in advance, as policy input."""
    steps = ceremonies.parse_ceremony(ceremony)
    return Approvals(1, risk, steps, frozenset({user_id}), in_advance=True)


def _covers_risk(grant: StandingGrant, case: PolicyRequest, risk: Risk) -> bool:
    """Return whether the grant covers this risk, and the agent may have such grants."""
    may_be_high = isinstance(case.agent, Agent) and case.agent.high_grants
    return risk.rank <= grant.risk.rank and (may_be_high or risk.rank < Risk.HIGH.rank)


def _same_version(view: View, grant: StandingGrant) -> bool:
    if grant.type is None:
        return True
    row = view.directory.action(grant.type)
    return row is not None and row.version == grant.version
