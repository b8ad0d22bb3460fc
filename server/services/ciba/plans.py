"""What an agent asks a person for, before anybody is asked: in order, and judged by policy.

Owns: the request as it was found to be, and what it takes. Never: who is asked, what is stored.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from server.model.clients import Agent
from server.model.store import Unit
from server.model.users import User
from server.protocol import errors, names
from server.protocol.approvals.ceremonies import CONFIRM, Ceremony
from server.protocol.ciba import requests
from server.protocol.ciba.login_hints import LoginHint
from server.protocol.ciba.requests import BackchannelRequest
from server.protocol.policy.action_types import ActionType
from server.protocol.policy.questions import Requirements, Verdict
from server.protocol.policy.risks import TIME_TO_LIVE, Risk
from server.services.approvers import answer_sources
from server.services.approvers.answer_sources import AnswerSources
from server.services.ciba.request_objects import Used
from server.services.clients import client_auth
from server.services.policy.judging import Judge, JudgedRequest
from server.services.policy.schemas import Schemas
from server.services.resources import targets
from server.services.resources.targets import TokenTarget
from server.services.server_policy import ServerPolicy


@dataclass(frozen=True, slots=True)
class BackchannelCall:
    """One call of the backchannel endpoint by an agent that has proved to be it."""

    agent: Agent
    request: BackchannelRequest
    idempotency_key: str | None
    peer: str
    used: Used
    proofs: Sequence[str]
    notification_token: str | None
    """None for an agent that polls."""
    request_hash: bytes
    """Of the request as it was sent."""
    hint: LoginHint | None = None
    """What its `login_hint_token` says."""

    @property
    def idempotency_hash(self) -> bytes | None:
        """Of the idempotency key; None without one."""
        key = self.idempotency_key
        return None if key is None else hashlib.sha256(key.encode()).digest()


@dataclass(frozen=True, slots=True)
class Draft:
    """A request that is in order."""

    target: TokenTarget
    actions: tuple[ActionType, ...]


@dataclass(frozen=True, slots=True)
class RequestPlan:
    """The same with what policy says to it."""

    target: TokenTarget
    actions: tuple[ActionType, ...]
    by: AnswerSources
    """Who or what answers it."""
    seconds: int
    """How long it waits for its answer."""

    @property
    def verdict(self) -> Verdict:
        """What policy says."""
        return self.by.verdict

    @property
    def needs(self) -> Requirements | None:
        """What the person's yes takes; None for what is not asked at all."""
        return self.verdict.needs

    @property
    def ceremony(self) -> Ceremony:
        """The steps of their yes."""
        return CONFIRM if self.needs is None else self.needs.ceremony

    @property
    def risk(self) -> Risk:
        """At which level it is shown."""
        return self.verdict.risk


@dataclass(frozen=True, slots=True)
class Plans:
    """Makes plans."""

    schemas: Schemas
    judge: Judge
    rules: ServerPolicy

    def draft(self, tx: Unit, agent: Agent, ask: BackchannelCall) -> Draft:
        """What is asked for, if it is well-formed and within the ceiling.

        Raises errors.ProtocolError.
        """
        request = ask.request
        if (about := self._about_person(request)) is not None:
            return about
        target = targets.resolve(tx.directory, agent, request.resource, request.scope)
        actions = self.schemas.check(tx.directory, request.details, agent.action_types)
        targets.check_required_types(target, frozenset(action.type for action in actions))
        return Draft(target, actions)

    def _about_person(self, request: BackchannelRequest) -> Draft | None:
        """A request for OpenID scopes alone; None for one that is about a resource."""
        if request.scope or request.details:
            return None
        audience = self.rules.userinfo_audience
        if request.resource not in {None, audience}:
            raise errors.InvalidTarget("Ask for a scope of this resource, or for an action.")
        return Draft(targets.about_person(audience, request.openid_scope), ())

    def judged(
        self, tx: Unit, ask: BackchannelCall, agent: Agent, draft: Draft, user: User | None
    ) -> RequestPlan:
        """What policy says to it; without a user as it would to anybody whom no rule names."""
        acr_values = ask.request.acr_values
        case = JudgedRequest(
            way="request",
            agent=agent,
            user=user,
            target=draft.target,
            details=ask.request.details,
            actions=draft.actions,
            wants_pin=requests.wants_pin(acr_values),
            at_least=ask.request.risk,
        )
        verdict = self.judge.decide(tx, case)
        hinted = ask.hint is not None
        by = answer_sources.find_answer_sources(
            tx, case, verdict, acr=bool(acr_values), hinted=hinted
        )
        return RequestPlan(draft.target, draft.actions, by, _seconds(tx, ask, by.verdict))


def _seconds(tx: Unit, ask: BackchannelCall, verdict: Verdict) -> int:
    """As long as policy lets it wait, unless the agent or its parent has less time."""
    usual = TIME_TO_LIVE[verdict.risk] if verdict.needs is None else verdict.needs.seconds
    longest = min(usual, _life_of_parent(tx, ask))
    return min(ask.request.requested_expiry or longest, longest)


def _life_of_parent(tx: Unit, ask: BackchannelCall) -> int:
    """Seconds after which nothing could come out any more (decided too late is decided in vain)."""
    parent = None if ask.hint is None else tx.delegations.get(ask.hint.parent)
    if parent is None:
        return max(TIME_TO_LIVE.values())
    return max(1, (parent.expires_at - tx.now) // 1000)


def admitted(tx: Unit, ask: BackchannelCall) -> Agent:
    """The agent as it is now; its request was read with its registration of that time."""
    agent = client_auth.current(tx, ask.agent)
    if names.GRANT_CIBA not in agent.grant_types:
        raise errors.UnauthorizedClient("This agent is not registered for CIBA.")
    if _read_by(agent) != _read_by(ask.agent):
        raise errors.InvalidRequest("The registration of this agent has changed; ask again.")
    return agent


def request_hash(request: BackchannelRequest) -> bytes:
    """Two requests are the same when every parameter that we read is, but for the user code."""
    members: dict[str, object] = {
        name: getattr(request, name)
        for name in BackchannelRequest.__slots__
        if name != "user_code"  # a hash of a short code would reveal it
    }
    return hashlib.sha256(as_text(members).encode()).digest()


def _read_by(agent: Agent) -> tuple[object, ...]:
    """Which of its registrations a request is read with."""
    return agent.request_alg, agent.jwks, agent.delivery


def as_text(value: object) -> str:
    """JSON text in one spelling, as rows keep it."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
