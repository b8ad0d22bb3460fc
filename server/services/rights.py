"""What an open approval stands on, judged as things are now.

Asked when a person decides and again when the token is minted. Whatever was tightened meanwhile
wins: a ceiling, a risk, a required type, whom the agent may ask, the grant itself.
"""

from dataclasses import dataclass

from server.protocol import errors, names, scopes
from server.protocol.risks import Risk
from server.protocol.states import State
from server.protocol.unusual import Unusual
from server.services import deciders, histories, members, parties, standing_uses, targets, votes
from server.services.app_actions import AppActions
from server.services.approval_records import Approval
from server.services.history_keys import Request
from server.services.narrowings import effective
from server.services.policy.judging import Case, Judge
from server.services.policy.questions import Requirements
from server.services.ports import Unit, View
from server.services.records import Agent, User
from server.services.schemas import Schemas
from server.services.standing_proposals import Proposals

POLICY_CHANGED = "policy_changed"
PARENT_ENDED = "parent_ended"
"""The token of whose exchange it came has run out or was revoked."""

GRANT_ENDED = "grant_ended"
"""The standing grant that decided it is over."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Judges approvals again."""

    schemas: Schemas
    judge: Judge
    actions: AppActions
    proposals: Proposals

    def gone(self, tx: Unit, approval: Approval) -> str | None:
        """What this approval stood on and is no longer there; None when it still holds."""
        if approval.kind == "device":
            return _user_gone(tx, approval)
        if approval.kind in {"consent", "app_device"}:
            return _user_gone(tx, approval) or _consent_gone(tx, approval)
        if approval.kind == "standing_grant":
            return _user_gone(tx, approval) or self.proposals.gone(tx, approval)
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
        if (gone := _stood_on(tx, approval)) is not None:
            return gone
        outside = agent.asks is not None and not members.among(tx, user.id, agent.asks)
        unbound = agent.dpop_bound and approval.delivery == "push" and approval.jkt is None
        if names.GRANT_CIBA not in agent.grant_types or outside or unbound:
            return POLICY_CHANGED
        case = same_today(tx, self.schemas, agent, user, approval)
        return None if case is not None and self._holds(tx, case, approval) else POLICY_CHANGED

    def _holds(self, tx: Unit, case: Case, approval: Approval) -> bool:
        """Reports whether what the person was shown, and how they answer, is enough today.

        What was decided without them needs what decided it, and a policy that still asks nobody.
        """
        if standing_uses.decided(approval):
            return standing_uses.holds(tx, self.judge, case, approval)
        if approval.decided_by is not None:
            return deciders.holds(tx, self.judge, case, approval)
        said = votes.said(tx, approval)
        return case.risk.rank <= approval.risk.rank and self.judge.holds(tx, case, said)

    def _app_action_gone(self, tx: Unit, approval: Approval) -> str | None:
        app = tx.directory.app(approval.agent_id)
        if app is None or not app.active(tx.now):
            return "agent_disabled"
        if tx.directory.resource(approval.resource) is None:
            return "resource_deleted"
        return None if self.actions.stands(tx, app, approval) else POLICY_CHANGED

    def risk(self, tx: Unit, approval: Approval) -> Risk | None:
        """The risk of the same request today; None when it would be refused."""
        app = tx.directory.app(approval.agent_id)
        if app is not None:
            act = self.actions.again(tx, app, approval)
            return None if act is None else act.risk
        agent = tx.directory.agent(approval.agent_id)
        case = None if agent is None else same_today(tx, self.schemas, agent, None, approval)
        return None if case is None else case.risk

    def unusual(self, view: View, approval: Approval) -> Unusual | None:
        """What is unusual about an open request, compared with what was approved until now.

        None for what is compared with nothing, and for what would be refused by now: then the
        display says what was unusual when it was asked.
        """
        agent = view.directory.agent(approval.agent_id)
        user = view.directory.user(approval.user_id or "")
        waits = approval.kind == "action" and approval.state is State.PENDING
        if not waits or agent is None or user is None:
            return None
        case = same_today(view, self.schemas, agent, user, approval)
        if case is None:
            return None
        wanted = Request(agent, user, case.target, case.details, case.actions)
        asked_at = approval.created_at
        return histories.look(view, self.judge.secrets, wanted, asked_at=asked_at).unusual


def same_today(
    view: View, schemas: Schemas, agent: Agent, user: User | None, approval: Approval
) -> Case | None:
    """The same request today, as policy is asked about it; None when it would be refused."""
    try:
        terms = effective(approval)
        details = terms.details
        target = targets.again(view.directory, agent, approval.resource, terms.scope)
        actions = schemas.check(view.directory, details, agent.action_types)
        targets.check_required_types(target, frozenset(action.type for action in actions))
    except errors.ProtocolError:
        return None
    return Case("request", agent, user, target, details, actions, past=approval.past)


def needs_today(
    view: View, judge: Judge, schemas: Schemas, approval: Approval
) -> Requirements | None:
    """What the yes to a request takes today; None when nobody can give it any more."""
    agent = view.directory.agent(approval.agent_id)
    user = view.directory.user(approval.user_id or "")
    case = None if agent is None else same_today(view, schemas, agent, user, approval)
    return None if case is None else judge.decide(view, case).needs


def _stood_on(tx: Unit, approval: Approval) -> str | None:
    """What it is for or came from and is over: its resource, a token, a standing grant."""
    scope = tuple(approval.scope.split())
    if targets.standing(tx.directory, approval.resource, scope) is None:
        return "resource_deleted"
    if not _parent_holds(tx, approval):
        return PARENT_ENDED
    return GRANT_ENDED if standing_uses.ended(tx, approval) else None


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
