"""Checks an open approval again under current policy and registrations.

The check runs when a person decides and again when the token is issued. Everything that became
stricter since the request applies: permissions, risk, required action types, the users that the
agent may ask, and the standing grant.
"""

from dataclasses import dataclass

from server.model import display_names
from server.model.approvals import Approval, Approver
from server.model.clients import Agent
from server.model.store import Unit, View
from server.protocol import errors, names
from server.protocol.approvals.states import State
from server.protocol.approvals.unusual import Unusual
from server.protocol.policy.risks import Risk
from server.protocol.resources import scopes
from server.services.adapters import Adapters
from server.services.approvals import votes
from server.services.approvals.app_actions import AppActions
from server.services.approvers import answer_sources, approvers
from server.services.consents import offers
from server.services.policy import history
from server.services.policy.evaluation import Evaluator, PolicyRequest
from server.services.policy.history_keys import RequestToCompare
from server.services.resources import targets
from server.services.standing_grants import uses
from server.services.standing_grants.proposals import Proposals
from server.services.users import user_checks

POLICY_CHANGED = "policy_changed"
PARENT_ENDED = "parent_ended"
"""The subject token of the exchange that created the request has expired or was revoked."""

CALLER_DISABLED = "caller_disabled"
"""The client whose call the agent is handling is disabled or deleted."""

GRANT_ENDED = "grant_ended"
"""The standing grant that decided the request is no longer in force."""

CONSENT_CHANGED = "consent_changed"
"""The user signed another consent in the meantime, and this one would remove its scopes."""


@dataclass(frozen=True, slots=True)
class ApprovalChecks:
    """Checks open approvals again."""

    evaluator: Evaluator
    actions: AppActions
    proposals: Proposals

    def invalid_reason(self, tx: Unit, approval: Approval) -> str | None:
        """Return the reason why this approval is no longer valid; None if it is valid."""
        if approval.kind == "device":
            return _user_reason(tx, approval)
        if approval.kind in {"consent", "app_device"}:
            return _user_reason(tx, approval) or _consent_reason(tx, approval)
        if approval.kind == "standing_grant":
            return _user_reason(tx, approval) or self.proposals.invalid_reason(tx, approval)
        if approval.kind == "app_action":
            return _user_reason(tx, approval) or self._app_action_reason(tx, approval)
        return self._action_reason(tx, approval)

    def _action_reason(self, tx: Unit, approval: Approval) -> str | None:
        agent = tx.directory.agent(approval.agent_id)
        if agent is None or not agent.active(tx.now):
            return "agent_disabled"
        user = tx.directory.user(approval.user_id or "")
        if user is None or not user.enabled:
            return "user_disabled"
        if (reason := _basis_reason(tx, approval)) is not None:
            return reason
        may_ask = tx.directory.includes(agent.asks, user.id)
        lacks_key = agent.dpop_bound and approval.delivery == "push" and approval.jkt is None
        if names.GRANT_CIBA not in agent.grant_types or not may_ask or lacks_key:
            return POLICY_CHANGED
        case = self.evaluator.as_of_today(tx, approval)
        is_approvable = case is not None and self._is_still_approvable(tx, case, approval)
        return None if is_approvable else POLICY_CHANGED

    def _is_still_approvable(self, tx: Unit, case: PolicyRequest, approval: Approval) -> bool:
        """Return whether the displayed risk and the votes suffice under current policy.

        If a standing grant or consent decided the request, it must be active, and policy must
        still let it decide.
        """
        if uses.is_decided_by_grant(approval):
            return uses.still_covers(tx, self.evaluator, case, approval)
        if approval.decided_by is not None:
            return answer_sources.is_still_valid(tx, self.evaluator, case, approval)
        is_pending = approval.decided_at is None
        approvals = (votes.possible_approvals if is_pending else votes.cast_approvals)(tx, approval)
        return case.risk.rank <= approval.risk.rank and self.evaluator.holds(tx, case, approvals)

    def check_may_approve(self, tx: Unit, approval: Approval, user_id: str) -> None:
        """Raise errors.Problem 403 if current policy does not count this user's approval."""
        approver = approvers.find(tx, approval, user_id)
        if approver is None or not approver.approves or not self._counts(tx, approval, approver):
            raise errors.Problem(
                403,
                "not_eligible",
                "Policy does not let you approve this request. You can deny or report it.",
            )

    def _counts(self, tx: Unit, approval: Approval, approver: Approver) -> bool:
        if not approval.multi_approver:
            return True
        if not votes.has_role(tx, approval, approver):
            return False
        requirements = self.evaluator.current_requirements(tx, approval)
        return requirements is not None and requirements.counts(approver.voter_id, approver.user_id)

    def void_ineligible_votes(self, tx: Unit, approval: Approval) -> None:
        """Void the votes that no longer count under current policy, roles and groups."""
        requirements = self.evaluator.current_requirements(tx, approval)
        if requirements is not None:
            votes.void_ineligible(tx, approval, requirements)

    def is_approved(self, tx: Unit, approval: Approval) -> bool:
        """Return whether the votes so far reach the quorum and satisfy current policy."""
        approvals = votes.cast_approvals(tx, approval)
        if approvals.count < approval.quorum:
            return False
        case = self.evaluator.as_of_today(tx, approval)
        return case is not None and self.evaluator.holds(tx, case, approvals)

    def _app_action_reason(self, tx: Unit, approval: Approval) -> str | None:
        app = tx.directory.app(approval.agent_id)
        if app is None or not app.active(tx.now):
            return "agent_disabled"
        if tx.directory.resource(approval.resource) is None:
            return "resource_deleted"
        return None if self.actions.is_still_allowed(tx, app, approval) else POLICY_CHANGED

    def current_risk(self, tx: Unit, approval: Approval) -> Risk | None:
        """Return the risk of the same request under current policy; None if it would be refused."""
        app = tx.directory.app(approval.agent_id)
        if app is not None:
            act = self.actions.recheck(tx, app, approval)
            return None if act is None else act.risk
        case = self.evaluator.as_of_today(tx, approval)
        return None if case is None else case.risk

    def current_signals(self, view: View, approval: Approval) -> Unusual | None:
        """Return what is unusual about a pending request, compared with the current history.

        Returns None for other requests, and if current policy would refuse the request. The display
        then shows the signals from when the request was created.
        """
        if approval.kind != "action" or approval.state is not State.PENDING:
            return None
        case = self.evaluator.as_of_today(view, approval)
        if case is None or case.user is None or not isinstance(case.agent, Agent):
            return None
        to_compare = RequestToCompare(
            case.agent, case.user, case.target, case.details, case.actions
        )
        asked_at = approval.created_at
        return history.compare(view, self.evaluator.secrets, to_compare, asked_at=asked_at).unusual


def build_approval_checks(adapters: Adapters) -> ApprovalChecks:
    """Build the checks with their own policy engine."""
    evaluator = Evaluator(adapters.secrets)
    actions = AppActions(adapters.secrets, evaluator, adapters.server_policy)
    return ApprovalChecks(evaluator, actions, Proposals(evaluator))


def _basis_reason(tx: Unit, approval: Approval) -> str | None:
    """Return why the resource, token, caller or standing grant is no longer valid, or None.

    Locks the subject token against revocation.
    """
    scope = tuple(approval.scope.split())
    if targets.stored_resource(tx.directory, approval.resource, scope) is None:
        return "resource_deleted"
    parent = approval.parent_id
    if parent is not None and tx.delegations.lock_live(parent, tx.now) is None:
        return PARENT_ENDED
    caller = approval.caller_id
    if caller is not None and display_names.find(tx.directory, caller, tx.now) is None:
        return CALLER_DISABLED
    return GRANT_ENDED if uses.has_grant_ended(tx, approval) else None


def _user_reason(tx: Unit, approval: Approval) -> str | None:
    return None if user_checks.is_enabled(tx, approval.user_id) else "user_disabled"


def _consent_reason(tx: Unit, approval: Approval) -> str | None:
    """Return what makes a consent invalid: its client, resource or scopes; None if it is valid."""
    client = display_names.find(tx.directory, approval.agent_id, tx.now)
    if client is None:
        return "agent_disabled"
    _, resource_scopes = scopes.split(tuple(approval.scope.split()))
    if not resource_scopes:
        return None
    resource = tx.directory.resource(approval.resource)
    if resource is None:
        return "resource_deleted"
    risks = [
        resource.scopes.get(name) for name in resource_scopes if client.allows(resource.uri, name)
    ]
    all_allowed = len(risks) == len(resource_scopes)
    has_higher_risk = any(risk is None or risk.rank > approval.risk.rank for risk in risks)
    if has_higher_risk or not all_allowed:
        return POLICY_CHANGED
    return CONSENT_CHANGED if offers.is_outdated(tx, approval) else None
