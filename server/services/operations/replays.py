"""Replays: evaluates recent requests, tokens and refusals again under a different rule set.

Owns: reading them as cases, each with its agent's history at the time. Never: the
details of refusals, because the audit log stores only their types.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain, islice
from typing import Final

from server.model import display_names
from server.model.approvals import Approval
from server.model.audit import EntrySearch, StoredEntry
from server.model.clients import Agent, App
from server.model.store import Store, View
from server.model.tokens import Delegation
from server.protocol import errors
from server.protocol.approvals import kinds
from server.protocol.json_text import JsonValue
from server.protocol.policy.questions import (
    APP,
    Approvals,
    Outcome,
    PolicyVersion,
    RequestFlow,
    Verdict,
)
from server.services.approvals import votes
from server.services.approvers import answer_sources
from server.services.approvers.answer_sources import ONLY_THE_USER, EligibleApprovers
from server.services.audit import audit
from server.services.operations.audiences import PolicyApprover, audience_of
from server.services.operations.trials import trial
from server.services.policy import refusals
from server.services.policy.evaluation import Evaluator, PolicyRequest, engine_of
from server.services.refusals import Invalid
from server.services.resources import targets
from server.services.standing_grants import uses

MAX_EVALUATED: Final = 20_000
MAX_CHANGES: Final = 200
MAX_PERIOD_MS: Final = 31 * 86_400_000
_PAGE_SIZE = 500
_REFUSED_OUTCOMES: Mapping[str, Outcome] = {
    refusals.NEEDS_PERSON: "ask",
    refusals.DENIED: "deny",
    refusals.TOO_FEW: "deny",
}
"""Cause in the audit log → the policy outcome."""


@dataclass(frozen=True, slots=True)
class _Decision:
    """The request of a past policy decision, and its outcome at the time."""

    flow: RequestFlow
    id: str
    at: int
    agent: str
    user: str | None
    resource: str | None
    scope: tuple[str, ...]
    types: tuple[str, ...]
    before: Outcome


@dataclass(frozen=True, slots=True)
class PastDecision(_Decision):
    """A past policy decision, with what is needed to make it again."""

    details: Sequence[Mapping[str, JsonValue]]
    approvals: Approvals | None = None
    """The approval at the start of its delegation chain."""
    signals: str | None = None
    """The signals at the time, as stored with the request; None to compare with today's history."""
    quorum: int | None = None
    """The number of approvals that it needed; None if nobody was asked."""
    by_grant: bool = False
    """Whether a standing grant decided it."""
    grantable: bool = True
    """Whether a standing grant may decide it: the agent did not require the person's own answer."""


@dataclass(frozen=True, slots=True)
class ReplayedOutcome:
    """The outcome under the replayed rule set."""

    case: PolicyRequest
    verdict: Verdict
    outcome: Outcome
    standing_grant: str | None = None
    """The ID of the standing grant that would answer it."""
    people: EligibleApprovers = ONLY_THE_USER

    @property
    def quorum(self) -> int | None:
        """The number of approvals that it would need; None if nobody is asked."""
        needs = self.verdict.requirements
        return None if needs is None or self.outcome != "ask" else needs.quorum

    def differs(self, decision: PastDecision) -> bool:
        """Return whether the outcome or the number of approvals would change."""
        other_quorum = decision.quorum is not None and self.quorum not in {None, decision.quorum}
        return self.outcome != decision.before or other_quorum


@dataclass(frozen=True, slots=True)
class Change(_Decision):
    """A decision that would have changed, with the names of its agent and user."""

    after: Outcome
    rules: tuple[str, ...]
    standing_grant: str | None = None
    """The ID of the standing grant that would answer it."""
    quorum_before: int | None = None
    quorum: int | None = None
    """The number of approvals that it would need; None if nobody would be asked."""
    approvers: tuple[str, ...] = ()
    """The people whose approval would count."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The result of a replay."""

    since: int
    until: int
    source: PolicyVersion
    evaluated: int
    skipped: int
    """Decisions whose agent, resource, scope or action type no longer exists."""
    complete: bool
    before: Mapping[str, int]
    after: Mapping[str, int]
    changed: int
    changes: tuple[Change, ...]
    """The newest changes."""


@dataclass(frozen=True, slots=True)
class Replays:
    """Replays past decisions."""

    store: Store
    evaluator: Evaluator

    def replay(self, last_ms: int, rules: str | None = None) -> Replay:
        """Evaluate the last `last_ms` under these rules, or the current ones. Raises `Invalid`."""
        if not 0 < last_ms <= MAX_PERIOD_MS:
            raise Invalid("The period must be more than 0 and at most 31d.")
        with self.store.read() as view:
            engine = engine_of(trial(view, rules))
            since, evaluator = view.now - last_ms, replace(self.evaluator, engine_override=engine)
            all_kinds = chain(_requests(view, since), _tokens(view, since), _refusals(view, since))
            decisions = list(islice(all_kinds, MAX_EVALUATED + 1))
            evaluated = [
                (decision, after)
                for decision in decisions[:MAX_EVALUATED]
                if (after := self._evaluate_again(view, evaluator, decision)) is not None
            ]
            changes = [
                _change(view, before, after) for before, after in evaluated if after.differs(before)
            ]
            changes.sort(key=lambda change: change.at, reverse=True)
            return Replay(
                since=since,
                until=view.now,
                source=engine.source,
                evaluated=len(evaluated),
                skipped=min(len(decisions), MAX_EVALUATED) - len(evaluated),
                complete=len(decisions) <= MAX_EVALUATED,
                before=dict(Counter(decision.before for decision, _ in evaluated)),
                after=dict(Counter(after.outcome for _, after in evaluated)),
                changed=len(changes),
                changes=tuple(changes[:MAX_CHANGES]),
            )

    def _evaluate_again(
        self, view: View, evaluator: Evaluator, decision: PastDecision
    ) -> ReplayedOutcome | None:
        """Return the new outcome; None if the case can no longer be evaluated."""
        case = self._case(view, decision)
        if case is None:
            return None
        verdict, approvals = evaluator.decide(view, case, decision.at), decision.approvals
        outcome = verdict.outcome
        if outcome == "ask" and approvals is not None and evaluator.holds(view, case, approvals):
            outcome = "allow"
        if outcome == "allow" and decision.flow == "request":
            consent = answer_sources.covering_consent(view, case, decision.at)
            outcome = "allow" if consent is not None else "ask"
        if outcome != "ask":
            return ReplayedOutcome(case, verdict, outcome)
        grant = _covering_grant(view, evaluator, decision, case, verdict)
        if grant is None:
            return _outcome_with_approvers(view, case, verdict)
        return ReplayedOutcome(case, verdict, "allow", grant)

    def _case(self, view: View, decision: PastDecision) -> PolicyRequest | None:
        """Return the case; None if its client, resource or action types no longer exist."""
        directory = view.directory
        find = directory.app if decision.flow == APP else directory.agent
        agent: Agent | App | None = find(decision.agent)
        if agent is None:
            return None
        try:
            target = targets.resolve_stored(directory, agent, decision.resource, decision.scope)
        except errors.ProtocolError:
            return None
        actions = self.evaluator.schemas.registered_types(directory, decision.types)
        if len(actions) < len(decision.types):
            return None
        user = directory.user(decision.user or "")
        return PolicyRequest(
            decision.flow, agent, user, target, decision.details, actions, past=decision.signals
        )


def _covering_grant(
    view: View, evaluator: Evaluator, decision: PastDecision, case: PolicyRequest, verdict: Verdict
) -> str | None:
    """Return the grant that decided it, if it still would; else one that could have decided it."""
    if decision.by_grant:
        approval = view.approvals.get(decision.id)
        still_covers = approval is not None and uses.still_covers(view, evaluator, case, approval)
        return uses.grant_of(approval) if approval is not None and still_covers else None
    # The audit log does not store details.
    has_details = len(decision.details) == len(decision.types)
    if not decision.grantable or not has_details or decision.flow not in {"request", "exchange"}:
        return None
    covering = uses.covering_grants(view, case, verdict, decision.at)
    return next((found.grant.id for found in covering), None)


def _outcome_with_approvers(view: View, case: PolicyRequest, verdict: Verdict) -> ReplayedOutcome:
    """Return the outcome with the eligible approvers; a denial if there are too few."""
    if not isinstance(case.agent, Agent):
        return ReplayedOutcome(case, verdict, "ask")
    eligible_approvers = answer_sources.eligible_for_verdict(view, case, verdict)
    needs = verdict.requirements
    too_few = (
        case.flow == "request" and needs is not None and needs.quorum > eligible_approvers.count
    )
    return ReplayedOutcome(case, verdict, "deny" if too_few else "ask", people=eligible_approvers)


def _requests(view: View, since: int) -> Iterator[PastDecision]:
    before: tuple[int, str] | None = None
    while approvals := view.approvals.search(
        state=None, agent_id=None, user_id=None, limit=_PAGE_SIZE, before=before
    ):
        for approval in approvals:
            if approval.created_at < since:
                return
            if approval.kind in {"action", "app_action"}:
                yield _request(approval)
        before = (approvals[-1].created_at, approvals[-1].id)


def _request(approval: Approval) -> PastDecision:
    details = kinds.resource_details(json.loads(approval.details))
    return PastDecision(
        flow="request" if approval.kind == "action" else APP,
        id=approval.id,
        at=approval.created_at,
        agent=approval.agent_id,
        user=approval.user_id,
        resource=approval.resource,
        scope=tuple(approval.scope.split()),
        types=tuple(str(detail["type"]) for detail in details),
        details=details,
        before="ask" if approval.decided_by is None else "allow",
        signals=approval.past,
        quorum=approval.quorum if approval.decided_by is None else None,
        by_grant=uses.is_decided_by_grant(approval),
        grantable=not approval.acr_values,
    )


def _tokens(view: View, since: int) -> Iterator[PastDecision]:
    """Yield the tokens that were issued without a request."""
    before: tuple[int, str] | None = None
    while delegations := view.delegations.search(
        client_id=None, user_id=None, resource=None, live_at=None, limit=_PAGE_SIZE, before=before
    ):
        for token in delegations:
            if token.issued_at < since:
                return
            if token.approval_id is None and view.directory.agent(token.client_id) is not None:
                yield _token(view, token)
        before = (delegations[-1].issued_at, delegations[-1].id)


def _token(view: View, token: Delegation) -> PastDecision:
    details = json.loads(token.details)
    return PastDecision(
        flow="client_credentials" if token.user_id is None else "exchange",
        id=token.id,
        at=token.issued_at,
        agent=token.client_id,
        user=token.user_id,
        resource=token.resource,
        scope=tuple(token.scope.split()),
        types=tuple(detail["type"] for detail in details),
        details=details,
        before="allow",
        approvals=_approvals_of(view, token),
    )


def _approvals_of(view: View, token: Delegation) -> Approvals | None:
    """Return the approval at the start of the token's chain, on which the exchange was based."""
    if token.consent_id is not None:
        return None
    for parent in view.delegations.ancestors(token.id):
        approval = _approval_of(view, parent)
        if approval is not None and parent.resource == token.resource:
            return votes.cast_approvals(view, approval)
    return None


def _approval_of(view: View, token: Delegation) -> Approval | None:
    """Return the approval for which the token was issued; None for a consent."""
    if token.approval_id is None or token.consent_id is not None:
        return None
    return view.approvals.get(token.approval_id)


def _refusals(view: View, since: int) -> Iterator[PastDecision]:
    for kind in (
        audit.Type.EXCHANGE_REFUSED,
        audit.Type.TOKEN_REFUSED,
        audit.Type.APPROVAL_REFUSED,
    ):
        before: str | None = None
        entry_search = EntrySearch(type=kind, since=since)
        while entries := view.audit.search(entry_search, before, _PAGE_SIZE):
            for entry in entries:
                if (decision := _refusal(kind, entry)) is not None:
                    yield decision
            before = entries[-1].id


def _refusal(kind: audit.Type, entry: StoredEntry) -> PastDecision | None:
    body = entry.members
    before = _REFUSED_OUTCOMES.get(str(body.get("cause")))
    if before is None:
        return None
    flow: RequestFlow = "exchange"
    scope = str(body["facts"].get("scope", "")).split()
    types: list[str] = list(body["facts"].get("types", ()))
    if kind is audit.Type.TOKEN_REFUSED:
        flow, scope = "client_credentials", str(body["action"]).split()
    if kind is audit.Type.APPROVAL_REFUSED:
        flow, scope = "request", list(body["facts"]["scope"])
        types = list(body["facts"]["types"])
    return PastDecision(
        flow=flow,
        id=entry.id,
        at=entry.at,
        agent=body["agent_id"],
        user=body.get("subject"),
        resource=body.get("resource"),
        scope=tuple(scope),
        types=tuple(types),
        details=(),
        before=before,
    )


def _change(view: View, decision: PastDecision, after: ReplayedOutcome) -> Change:
    user, needs = view.directory.user(decision.user or ""), after.verdict.requirements
    approvers: Sequence[PolicyApprover] = ()
    if needs is not None and after.quorum is not None:
        approvers = audience_of(view, after.case, needs, after.people).approvers
    common = {member.name: getattr(decision, member.name) for member in fields(_Decision)}
    common["agent"] = display_names.name_of(view.directory, decision.agent)
    common["user"] = None if user is None else user.name
    return Change(
        **common,
        after=after.outcome,
        rules=after.verdict.rules,
        standing_grant=after.standing_grant,
        quorum_before=decision.quorum,
        quorum=after.quorum,
        approvers=tuple(approver.name for approver in approvers),
    )
