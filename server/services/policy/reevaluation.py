"""Evaluates a pending request again under current policy and registrations."""

from server.model.approvals import Approval
from server.model.clients import Agent
from server.model.granted import effective_terms
from server.model.store import View
from server.model.users import User
from server.protocol import errors
from server.protocol.policy.questions import Requirements
from server.services.policy.evaluation import Evaluator, PolicyRequest
from server.services.policy.schemas import Schemas
from server.services.resources import targets


def as_of_today(
    view: View, schemas: Schemas, agent: Agent, user: User | None, approval: Approval
) -> PolicyRequest | None:
    """Return the pending request as if it were sent now; None if it would be refused."""
    try:
        terms = effective_terms(approval)
        details = terms.details
        target = targets.resolve_stored(view.directory, agent, approval.resource, terms.scope)
        actions = schemas.check(view.directory, details, agent.action_types)
        targets.check_required_types(target, frozenset(action.type for action in actions))
    except errors.ProtocolError:
        return None
    return PolicyRequest("request", agent, user, target, details, actions, past=approval.past)


def current_requirements(
    view: View, evaluator: Evaluator, schemas: Schemas, approval: Approval
) -> Requirements | None:
    """Return the current requirements for approving a request; None if nobody can approve it."""
    agent = view.directory.agent(approval.agent_id)
    user = view.directory.user(approval.user_id or "")
    case = None if agent is None else as_of_today(view, schemas, agent, user, approval)
    return None if case is None else evaluator.decide(view, case).requirements
