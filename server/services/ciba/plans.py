"""Validates an agent's request and evaluates policy before anybody is asked.

Owns: the validated request, what an approval of it requires, and the audit entries of what was
asked and refused. Never: who is asked, what is stored.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.model.approvals import Approval
from server.model.audit import Entry
from server.model.clients import Agent
from server.model.store import Unit
from server.model.users import User
from server.protocol import errors, names
from server.protocol.approvals.ceremonies import CONFIRM, Ceremony
from server.protocol.ciba import login_hint_tokens, requests
from server.protocol.ciba.login_hint_tokens import LoginHint
from server.protocol.ciba.requests import BackchannelRequest
from server.protocol.policy.action_types import ActionType
from server.protocol.policy.questions import Requirements, Verdict
from server.protocol.policy.risks import TIME_TO_LIVE, Risk
from server.protocol.text import display_safe
from server.services.approvers import answer_sources
from server.services.approvers.answer_sources import AnswerSources
from server.services.audit import audit, floods
from server.services.ciba.callers import CallerToken, RequestObjectReplayKey
from server.services.clients import client_auth
from server.services.policy import refusals
from server.services.policy.evaluation import Evaluator, PolicyRequest
from server.services.policy.schemas import Schemas
from server.services.resources import targets
from server.services.resources.targets import TokenTarget
from server.services.server_policy import ServerPolicy


@dataclass(frozen=True, slots=True)
class BackchannelCall:
    """One call of the backchannel endpoint by an authenticated agent."""

    agent: Agent
    request: BackchannelRequest
    idempotency_key: str | None
    peer: str
    used: RequestObjectReplayKey
    proofs: Sequence[str]
    notification_token: str | None
    """None for an agent that polls."""
    request_hash: bytes
    """Of the request as it was sent."""
    hint: LoginHint | None = None
    """The contents of a `login_hint_token` from an exchange."""
    caller: CallerToken | None = None
    """The caller that an access token in `login_hint_token` proves."""

    @property
    def known_user(self) -> str | None:
        """The user of its `login_hint_token`."""
        known = self.hint or self.caller
        return None if known is None else known.user

    @property
    def received_token(self) -> str | None:
        """The ID of the token that the agent received, in a call or to exchange it."""
        if self.caller is not None:
            return self.caller.id
        return None if self.hint is None else self.hint.parent

    @property
    def idempotency_hash(self) -> bytes | None:
        """The hash of the idempotency key; None without one."""
        key = self.idempotency_key
        return None if key is None else hashlib.sha256(key.encode()).digest()


@dataclass(frozen=True, slots=True)
class RequestDraft:
    """A valid request."""

    target: TokenTarget
    actions: tuple[ActionType, ...]


@dataclass(frozen=True, slots=True)
class RequestPlan:
    """A valid request with the verdict of policy."""

    target: TokenTarget
    actions: tuple[ActionType, ...]
    by: AnswerSources
    """Who or what answers it."""
    seconds: int
    """How long it waits for its answer."""

    @property
    def verdict(self) -> Verdict:
        """The verdict of policy."""
        return self.by.verdict

    @property
    def needs(self) -> Requirements | None:
        """The requirements for approving; None if no one is asked."""
        return self.verdict.needs

    @property
    def ceremony(self) -> Ceremony:
        """The steps of an approval."""
        return CONFIRM if self.needs is None else self.needs.ceremony

    @property
    def risk(self) -> Risk:
        """The risk at which it is shown."""
        return self.verdict.risk


@dataclass(frozen=True, slots=True)
class RequestPlanner:
    """Creates plans."""

    schemas: Schemas
    evaluator: Evaluator
    server_policy: ServerPolicy

    def create_draft(self, tx: Unit, agent: Agent, call: BackchannelCall) -> RequestDraft:
        """Validate the request against the agent's permissions. Raises errors.ProtocolError."""
        request = call.request
        if (about := self._openid_only(request)) is not None:
            return about
        target = targets.resolve(tx.directory, agent, request.resource, request.scope)
        actions = self.schemas.check(tx.directory, request.details, agent.action_types)
        targets.check_required_types(target, frozenset(action.type for action in actions))
        return RequestDraft(target, actions)

    def _openid_only(self, request: BackchannelRequest) -> RequestDraft | None:
        """Return the draft of a request for OpenID scopes only; None for others."""
        if request.scope or request.details:
            return None
        audience = self.server_policy.userinfo_audience
        if request.resource not in {None, audience}:
            raise errors.InvalidTarget("Ask for a scope of this resource, or for an action.")
        return RequestDraft(targets.about_person(audience, request.openid_scope), ())

    def plan(
        self, tx: Unit, call: BackchannelCall, agent: Agent, draft: RequestDraft, user: User | None
    ) -> RequestPlan:
        """Return the request with the verdict of policy; without a user, as for any user."""
        acr_values = call.request.acr_values
        case = PolicyRequest(
            flow="request",
            agent=agent,
            user=user,
            target=draft.target,
            details=call.request.details,
            actions=draft.actions,
            wants_pin=requests.wants_pin(acr_values),
            at_least=call.request.risk,
        )
        verdict = self.evaluator.decide(tx, case)
        hinted = call.hint is not None
        by = answer_sources.find_answer_sources(
            tx, case, verdict, acr=bool(acr_values), hinted=hinted
        )
        return RequestPlan(draft.target, draft.actions, by, _seconds(tx, call, by.verdict))


def _seconds(tx: Unit, call: BackchannelCall, verdict: Verdict) -> int:
    """Return the time that policy allows, limited by the agent and the parent token."""
    usual = TIME_TO_LIVE[verdict.risk] if verdict.needs is None else verdict.needs.seconds
    longest = min(usual, _parent_seconds(tx, call))
    return min(call.request.requested_expiry or longest, longest)


def _parent_seconds(tx: Unit, call: BackchannelCall) -> int:
    """Return the seconds until the parent token expires, when an answer is useless."""
    parent = None if call.hint is None else tx.delegations.get(call.hint.parent)
    if parent is None:
        return max(TIME_TO_LIVE.values())
    return max(1, (parent.expires_at - tx.now) // 1000)


def current_agent(tx: Unit, call: BackchannelCall) -> Agent:
    """Return the current agent; its request was parsed with the earlier registration."""
    agent = client_auth.current_agent(tx, call.agent)
    if names.GRANT_CIBA not in agent.grant_types:
        raise errors.UnauthorizedClient("This agent is not registered for CIBA.")
    if _parsed_with(agent) != _parsed_with(call.agent):
        raise errors.InvalidRequest("The registration of this agent has changed; ask again.")
    return agent


def request_hash(request: BackchannelRequest) -> bytes:
    """Hash every parameter of the request except the user code, to compare requests."""
    members: dict[str, object] = {
        name: getattr(request, name)
        for name in BackchannelRequest.__slots__
        if name != "user_code"  # a hash of a short code would reveal it
    }
    if request.login_hint_token is not None:  # a repeated exchange or call has another one
        members["login_hint_token"] = login_hint_tokens.comparable(request.login_hint_token)
    return hashlib.sha256(canonical_json(members).encode()).digest()


def _parsed_with(agent: Agent) -> tuple[object, ...]:
    """Return the members of the agent that a request is parsed with."""
    return agent.request_alg, agent.jwks, agent.delivery


def canonical_json(value: object) -> str:
    """Return canonical JSON text for a row."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


_NO_MEMBERS: Mapping[str, object] = {}


def refuse(
    tx: Unit,
    call: BackchannelCall,
    plan: RequestPlan,
    reason: str,
    text: str,
    members: Mapping[str, object] = _NO_MEMBERS,
) -> errors.RequestRefused:
    """Record that policy refused the request; returns the error (CIBA 13)."""
    floods.record_refusal(
        tx,
        Entry(
            type=audit.Type.APPROVAL_REFUSED,
            actor=audit.by_agent(call.agent.id),
            agent_id=call.agent.id,
            resource=plan.target.resource.uri,
            action=" ".join([*plan.target.scope, *(action.type for action in plan.actions)]),
            decision="refused",
            posture=plan.risk,
            cause=reason,
            facts={
                "policy": plan.verdict.facts(),
                "scope": list(plan.target.scope),
                "types": [action.type for action in plan.actions],
            },
            caller_id=None if call.caller is None else call.caller.client,
        ),
    )
    members_sent = {"reason": reason} if reason in refusals.AGENT_CODES else members
    return errors.RequestRefused(text, detail=reason, members=members_sent)


def refuse_ruled_out(
    tx: Unit, call: BackchannelCall, plan: RequestPlan
) -> errors.RequestRefused | None:
    """Return the refusal if policy forbids it or too few people can be asked."""
    if not (plan.by.asked and plan.by.is_ruled_out):
        return None
    if plan.needs is None:
        return refuse(tx, call, plan, refusals.DENIED, refusals.FORBIDDEN)
    text = refusals.too_few_text(plan.needs.quorum, plan.by.people.count)
    return refuse(tx, call, plan, refusals.TOO_FEW, text)


def _said(message: str | None) -> Mapping[str, object]:
    """Return the agent's own words, such as which tool was called."""
    return {} if message is None else {"agent_says": display_safe(message)}


def record(
    tx: Unit, call: BackchannelCall, approval: Approval, hashes: Mapping[str, object]
) -> None:
    """Record that the agent asked, with the hashes by which the entry is found."""
    tx.audit.add(
        audit.request_entry(
            approval,
            audit.by_agent(call.agent.id),
            {
                **hashes,
                "types": [str(detail["type"]) for detail in call.request.details],
                **_said(call.request.binding_message),
                **({"supersedes": approval.supersedes} if approval.supersedes else {}),
            },
        ),
    )
