"""What an open approval stands on, judged as things are now.

Asked when a person decides and again when the token is minted. Whatever was tightened meanwhile
wins: a ceiling, a risk, a required type, whom the agent may ask, the grant itself.
"""

from dataclasses import dataclass

from server.protocol import errors, names, scopes
from server.protocol.risks import Risk
from server.services import parties, targets
from server.services.app_actions import AppActions
from server.services.narrowings import effective
from server.services.policy.judging import Case, Judge
from server.services.policy.questions import Approvals
from server.services.ports import Unit
from server.services.records import Agent, Approval, User
from server.services.schemas import Schemas

POLICY_CHANGED = "policy_changed"
PARENT_ENDED = "parent_ended"
"""The token of whose exchange it came has run out or was revoked."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Judges approvals again."""

    schemas: Schemas
    judge: Judge
    actions: AppActions

    def gone(self, tx: Unit, approval: Approval) -> str | None:
        """What this approval stood on and is no longer there; None when it still holds."""
        if approval.kind == "device":
            return _user_gone(tx, approval)
        if approval.kind in {"consent", "app_device"}:
            return _user_gone(tx, approval) or _consent_gone(tx, approval)
        if approval.kind == "app_action":
            return _user_gone(tx, approval) or self._app_action_gone(tx, approval)
        return self._action_gone(tx, approval)

    def _action_gone(self, tx: Unit, approval: Approval) -> str | None:
        agent = tx.directory.agent(approval.agent_id)
        if agent is None or not agent.active(tx.now):
            return "agent_disabled"
        user = tx.directory.user(approval.user_id or "")
        if user is None or not user.enabled:
            return "user_disabled"
        if tx.directory.resource(approval.resource) is None:
            return "resource_deleted"
        if not _parent_holds(tx, approval):
            return PARENT_ENDED
        outside = agent.asks is not None and user.id not in agent.asks
        unbound = agent.dpop_bound and approval.delivery == "push" and approval.jkt is None
        if names.GRANT_CIBA not in agent.grant_types or outside or unbound:
            return POLICY_CHANGED
        case = self._case(tx, agent, user, approval)
        return None if case is not None and self._holds(tx, case, approval) else POLICY_CHANGED

    def _holds(self, tx: Unit, case: Case, approval: Approval) -> bool:
        """Reports whether what the person was shown, and how they answer, is enough today."""
        said = Approvals(1, approval.risk, approval.ceremony, frozenset({approval.user_id or ""}))
        return case.risk.rank <= approval.risk.rank and self.judge.holds(tx, case, said)

    def _app_action_gone(self, tx: Unit, approval: Approval) -> str | None:
        app = tx.directory.app(approval.agent_id)
        if app is None or not app.active(tx.now):
            return "agent_disabled"
        if tx.directory.resource(approval.resource) is None:
            return "resource_deleted"
        risk = self.risk(tx, approval)
        return POLICY_CHANGED if risk is None or risk.rank > approval.risk.rank else None

    def risk(self, tx: Unit, approval: Approval) -> Risk | None:
        """The risk of the same request today; None when it would be refused."""
        app = tx.directory.app(approval.agent_id)
        if app is not None:
            act = self.actions.again(tx.directory, app, approval)
            return None if act is None else act.risk
        agent = tx.directory.agent(approval.agent_id)
        case = None if agent is None else self._case(tx, agent, None, approval)
        return None if case is None else case.risk

    def _case(self, tx: Unit, agent: Agent, user: User | None, approval: Approval) -> Case | None:
        """The same request today, as policy is asked about it; None when it would be refused."""
        try:
            terms = effective(approval)
            details = terms.details
            target = targets.resolve(tx.directory, agent, approval.resource, terms.scope)
            actions = self.schemas.check(tx.directory, details, agent.action_types)
            targets.check_required_types(target, frozenset(action.type for action in actions))
        except errors.ProtocolError:
            return None
        return Case("request", agent, user, target, details, actions)


def _parent_holds(tx: Unit, approval: Approval) -> bool:
    """Reports whether the token of whose exchange it came is in force; none can come out after."""
    held = approval.parent_id
    return held is None or tx.delegations.extend(held, tx.now) is not None


def _user_gone(tx: Unit, approval: Approval) -> str | None:
    user = tx.directory.user(approval.user_id or "")
    return None if user is not None and user.enabled else "user_disabled"


def _consent_gone(tx: Unit, approval: Approval) -> str | None:
    """A consent is for a client that may act, and for no more than it could have today."""
    party = parties.find(tx.directory, approval.agent_id, tx.now)
    if party is None:
        return "agent_disabled"
    _, rest = scopes.split(tuple(approval.scope.split()))
    if not rest:
        return None
    resource = tx.directory.resource(approval.resource)
    if resource is None:
        return "resource_deleted"
    risks = [resource.scopes.get(name) for name in rest if party.may(resource.uri, name)]
    within = len(risks) == len(rest)
    raised = any(risk is None or risk.rank > approval.risk.rank for risk in risks)
    return POLICY_CHANGED if raised or not within else None
