"""Checks proposed standing grants against agent, policy and limits, and on past requests.

Owns: creating a grant from a submitted proposal, and every refusal. Never: storing or signing it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from server.model.approvals import Approval
from server.model.clients import Agent
from server.model.store import View
from server.model.users import User
from server.protocol import errors
from server.protocol.approvals import kinds
from server.protocol.approvals.ceremonies import Step
from server.protocol.json_text import JsonValue
from server.protocol.policy import uses as amounts
from server.protocol.policy.action_types import ActionType
from server.protocol.policy.questions import Approvals, Requirements
from server.protocol.policy.risks import Risk
from server.protocol.policy.uses import Path
from server.protocol.standing_grants import standing_grants
from server.protocol.standing_grants.standing_grants import (
    Bounds,
    GrantNotAllowed,
    GrantUsage,
    Pattern,
)
from server.services.policy.evaluation import Evaluator, PolicyRequest
from server.services.resources import targets
from server.services.resources.targets import TokenTarget
from server.services.users.device_auth import Person

TRIED_REQUESTS: Final = 10
"""The number of past requests on which a proposal is tried."""
MAX_IN_FORCE: Final = 50
"""The maximum number of one user's grants in force."""
_MAX_SCANNED: Final = 100


@dataclass(frozen=True, slots=True)
class SubmittedProposal:
    """A submitted proposal: an example and the bounds."""

    approval_id: str
    """The example: an agent's request to this user."""
    seconds: int
    uses: int
    sum: str | None = None
    """The entered total amount, in the currency of the example."""
    vary: tuple[tuple[Path, str | None], ...] = ()
    """The members that may vary; numbers and amounts of money have a limit."""
    notify: bool = True


@dataclass(frozen=True, slots=True)
class EvaluatedExample:
    """An example, evaluated under current policy."""

    agent: Agent
    user: User
    target: TokenTarget
    details: tuple[Mapping[str, JsonValue], ...]
    action: ActionType | None
    version: int | None
    risk: Risk
    pin: bool
    """Whether the covered requests require the PIN, so that approving the grant requires it too."""


@dataclass(frozen=True, slots=True)
class CheckedProposal:
    """A checked proposal."""

    example: EvaluatedExample
    pattern: Pattern
    bounds: Bounds
    notify: bool

    @property
    def given_at(self) -> Risk:
        """The risk level of approving the grant."""
        return standing_grants.APPROVAL_RISK[self.example.risk]


@dataclass(frozen=True, slots=True)
class TriedRequest:
    """A past request; `mismatch` is the first value that the grant would not cover."""

    approval: Approval
    mismatch: str | None


@dataclass(frozen=True, slots=True)
class Proposals:
    """Checks proposals."""

    evaluator: Evaluator

    def check(
        self, view: View, person: Person, submitted_proposal: SubmittedProposal
    ) -> CheckedProposal:
        """Check a submitted proposal. Raises errors.Problem.

        Checks, in order, that: 1. the example is an agent's request to this person; 2. the agent
        may still request it, and policy lets this person approve it alone; 3. the members that vary
        can vary; 4. the bounds are within the limits for its risk; 5. the person has fewer grants
        than the limit.
        """
        example = view.approvals.get(submitted_proposal.approval_id)
        if example is None or (example.user_id, example.kind) != (person.user.id, "action"):
            raise errors.Problem(404, "not_found", "No agent has sent you this request.")
        agent = view.directory.agent(example.agent_id)
        if agent is None or not agent.active(view.now):
            raise _refusal("agent", "is not enabled")
        evaluated = self._evaluate_example(view, agent, example)
        money = amounts.money(evaluated.details)
        try:
            total = standing_grants.read_sum(money, submitted_proposal.sum)
            vary = _varying_members(evaluated, submitted_proposal)
            standing_grants.check_limits(
                evaluated.risk,
                seconds=submitted_proposal.seconds,
                uses=submitted_proposal.uses,
                costs=bool(money),
                total=total,
            )
        except GrantNotAllowed as error:
            raise _refusal(error.where, error.remedy) from error
        _check_limit(view, person.user.id)
        return CheckedProposal(
            evaluated,
            Pattern(frozenset(evaluated.target.scope), evaluated.details, vary),
            Bounds(view.now + submitted_proposal.seconds * 1000, submitted_proposal.uses, total),
            submitted_proposal.notify,
        )

    def _evaluate_example(self, view: View, agent: Agent, example: Approval) -> EvaluatedExample:
        """Evaluate the example under current policy. Raises errors.Problem 400."""
        details = kinds.resource_details(json.loads(example.details))
        user = view.directory.user(example.user_id or "")
        scope = tuple(example.scope.split())
        if len(details) > 1:
            raise _refusal(
                "authorization_details", "a standing grant covers one action, not several"
            )
        try:
            target = targets.resolve_stored(view.directory, agent, example.resource, scope)
            actions = self.evaluator.schemas.check(view.directory, details, agent.action_types)
            targets.check_required_types(target, frozenset(action.type for action in actions))
        except errors.ProtocolError as error:
            raise _refusal("example", error.description) from error
        case = PolicyRequest("request", agent, user, target, details, actions)
        verdict = self.evaluator.decide(view, case)
        needs = verdict.requirements
        if verdict.outcome == "deny" or needs is None or user is None:
            raise _refusal("policy", "policy denies this request now")
        if verdict.risk is Risk.CRITICAL:
            raise _refusal("risk", "critical requests cannot have a standing grant")
        if not needs.met_by(_strongest_approval(needs, user), user.id):
            raise _refusal("policy", "policy requires more than your approval in advance")
        if verdict.risk is Risk.HIGH and not agent.high_grants:
            raise _refusal(
                "risk",
                f"an administrator must first allow standing grants at high risk for {agent.name}",
            )
        row = view.directory.action(actions[0].type) if actions else None
        return EvaluatedExample(
            agent,
            user,
            target,
            details,
            action=actions[0] if actions else None,
            version=None if row is None else row.version,
            risk=verdict.risk,
            pin=Step.PIN in needs.ceremony,
        )

    def invalid_reason(self, view: View, approval: Approval) -> str | None:
        """Return why an unsigned grant can no longer be approved; None if it can."""
        agent = view.directory.agent(approval.agent_id)
        if agent is None or not agent.active(view.now):
            return "agent_disabled"
        scope = tuple(approval.scope.split())
        if targets.stored_resource(view.directory, approval.resource, scope) is None:
            return "resource_deleted"
        terms = json.loads(approval.details)[0]
        try:
            evaluated = self._evaluate_example(view, agent, approval)
        except errors.Problem:
            return "policy_changed"
        is_unchanged = [evaluated.version, evaluated.risk] == [terms["version"], terms["risk"]]
        return None if is_unchanged else "policy_changed"


def _varying_members(
    evaluated: EvaluatedExample, submitted_proposal: SubmittedProposal
) -> tuple[standing_grants.VaryingMember, ...]:
    if evaluated.action is None:
        if submitted_proposal.vary:
            raise GrantNotAllowed("vary", "this request has no details that can vary")
        return ()
    return standing_grants.read_vary(
        evaluated.details[0],
        submitted_proposal.vary,
        evaluated.action.fact_rules.target,
    )


def try_on_past_requests(view: View, proposal: CheckedProposal) -> list[TriedRequest]:
    """Try the grant on the newest requests, as if it had been created before them."""
    approvals = view.approvals.search(
        state=None,
        agent_id=proposal.example.agent.id,
        user_id=proposal.example.user.id,
        limit=_MAX_SCANNED,
    )
    newest = [approval for approval in approvals if approval.kind == "action"][:TRIED_REQUESTS]
    usage, results = GrantUsage(), list[TriedRequest]()
    for approval in reversed(newest):
        mismatch, usage = _try_request(proposal, approval, usage)
        results.append(TriedRequest(approval, mismatch))
    return results[::-1]


def _try_request(
    proposal: CheckedProposal, approval: Approval, usage: GrantUsage
) -> tuple[str | None, GrantUsage]:
    details = json.loads(approval.details)
    if approval.resource != proposal.example.target.resource.uri:
        return "resource", usage
    mismatch = standing_grants.mismatch(proposal.pattern, approval.scope.split(), details)
    if mismatch is None and approval.risk.rank > proposal.example.risk.rank:
        mismatch = "risk"
    if mismatch is not None:
        return mismatch, usage
    minor = standing_grants.cost(proposal.bounds, amounts.money(details))
    after = None if minor is None else standing_grants.reserve(proposal.bounds, usage, minor, 0)
    if after is not None:
        return None, after
    return "uses" if usage.uses >= proposal.bounds.uses else "sum", usage


def _check_limit(view: View, user_id: str) -> None:
    """Raise errors.Problem if the user has the maximum number of grants.

    Pending grants are counted first: a grant approved in between is counted twice, never missed.
    """
    pending = view.approvals.open_count(None, user_id, view.now, "standing_grant")
    if pending + view.standing_grants.live_count(user_id, view.now) >= MAX_IN_FORCE:
        raise _refusal(
            "grants",
            f"you have {MAX_IN_FORCE} active or pending standing grants; revoke one first",
        )


def _strongest_approval(needs: Requirements, user: User) -> Approvals:
    """Return the strongest approval in advance: with the PIN, without typed entries or a reason."""
    return Approvals(1, needs.risk, frozenset({Step.PIN}), frozenset({user.id}), in_advance=True)


def _refusal(where: str, remedy: str) -> errors.Problem:
    return errors.Problem(400, "not_grantable", f"{where}: {remedy}.")
