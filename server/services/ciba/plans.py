"""Reads and validates an agent's request and evaluates policy before anyone is asked.

Owns: the validated request, the requirements for approving it, and the audit entries of requests
and refusals. Never: asking approvers, or storing the approval.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from server.model.approvals import Approval
from server.model.audit import Entry
from server.model.clients import Agent
from server.model.ports import BadClaims, BadToken, Verifier
from server.model.store import Unit, View
from server.model.users import User
from server.protocol import errors, names
from server.protocol.approvals.ceremonies import CONFIRM, Ceremony
from server.protocol.ciba import login_hint_tokens, request_objects, requests
from server.protocol.ciba.login_hint_tokens import LoginHint
from server.protocol.ciba.requests import BackchannelRequest
from server.protocol.forms import Form
from server.protocol.policy.action_types import ActionType
from server.protocol.policy.questions import Requirements, Verdict
from server.protocol.policy.risks import TIME_TO_LIVE, Risk
from server.protocol.resources import uris
from server.protocol.text import display_safe
from server.services.approvals import withdrawals
from server.services.approvers import answer_sources
from server.services.approvers.answer_sources import AnswerSources
from server.services.audit import audit, floods
from server.services.ciba.login_hints import CallerToken
from server.services.clients import client_auth
from server.services.policy import refusals
from server.services.policy.evaluation import Evaluator, PolicyRequest
from server.services.resources import targets
from server.services.resources.targets import TokenTarget
from server.services.server_policy import ServerPolicy

_REPLAY_KIND = "request object"


@dataclass(frozen=True, slots=True)
class RequestObjectReplayKey:
    """Identifies a signed request, so that it is accepted only once."""

    digest: bytes | None = None
    """None for an unsigned request."""
    until: int = 0
    agent_id: str = ""
    signing_kid: str = ""
    """The ID of the agent's key that signed the request."""

    def mark_used(self, tx: Unit) -> None:
        """Mark the request as used. Raises errors.InvalidRequest if it was used before."""
        if self.digest is None:
            return
        if not tx.replays.first_use(_REPLAY_KIND, self.digest, self.until):
            raise errors.InvalidRequest("This signed request was already used. Sign a new one.")
        tx.agents.mark_key_used(self.agent_id, self.signing_kid, tx.now)


@dataclass(frozen=True, slots=True)
class RequestObjects:
    """Parses the `request` parameter of the backchannel endpoint."""

    verifier: Verifier
    server_policy: ServerPolicy

    def read(self, agent: Agent, form: Form, now: int) -> tuple[Form, RequestObjectReplayKey]:
        """Return the effective parameters, and the replay key of a signed request.

        Checks, in order, that: 1. the agent signs its requests if it registered to; 2. a signed
        request has no parameters outside of it; 3. a key of this agent signed it, with the
        registered algorithm; 4. the claims are valid. Raises errors.InvalidRequest.
        """
        request_object = form.get("request")
        if request_object is None:
            if agent.request_alg is not None:
                raise errors.InvalidRequest("This agent must send a signed `request`.")
            return form, RequestObjectReplayKey()
        request_objects.reject_unsigned_parameters(form)
        try:
            kid, alg, claims = self.verifier.request_object(request_object, agent.jwks)
        except BadClaims as error:
            raise errors.InvalidRequest(
                f"The claims of the signed request are not valid: {error}."
            ) from error
        except BadToken as error:
            raise errors.InvalidRequest(
                "request is not a JWT signed by a registered key of this agent.", detail=str(error)
            ) from error
        if agent.request_alg not in {None, alg}:
            raise errors.InvalidRequest(
                f"Sign the request with {agent.request_alg}, which is registered for this agent."
            )
        token_id, until = request_objects.check(
            claims, client_id=agent.id, issuer=self.server_policy.issuer, now=now
        )
        if float(str(claims["iat"])) * 1000 < self.server_policy.not_before:
            raise errors.InvalidRequest(
                "This request was signed before the last restore. Sign it again."
            )
        digest = hashlib.sha256(f"{agent.id}\n{token_id}".encode()).digest()
        replay_key = RequestObjectReplayKey(digest, until, agent.id, kid)
        return request_objects.to_form(claims), replay_key


@dataclass(frozen=True, slots=True)
class BackchannelCall:
    """One call of the backchannel endpoint by an authenticated agent."""

    agent: Agent
    request: BackchannelRequest
    idempotency_key: str | None
    peer: str
    replay_key: RequestObjectReplayKey
    proofs: Sequence[str]
    notification_token: str | None
    """None for an agent that polls."""
    request_hash: bytes
    """The hash of the request as sent."""
    hint: LoginHint | None = None
    """The contents of a `login_hint_token` from an exchange."""
    caller: CallerToken | None = None
    """The caller identified by an access token in `login_hint_token`."""

    @property
    def known_user(self) -> str | None:
        """The user in its `login_hint_token`."""
        source = self.hint or self.caller
        return None if source is None else source.user

    @property
    def received_token(self) -> str | None:
        """The ID of the token that the agent received, with a call or for an exchange."""
        if self.caller is not None:
            return self.caller.id
        return None if self.hint is None else self.hint.parent

    @property
    def idempotency_hash(self) -> bytes | None:
        """The hash of the idempotency key; None without one."""
        key = self.idempotency_key
        return None if key is None else hashlib.sha256(key.encode()).digest()


@dataclass(frozen=True, slots=True)
class RequestPlan:
    """A valid request with the verdict of policy."""

    case: PolicyRequest
    answer_sources: AnswerSources
    """What decides the request."""
    seconds: int
    """The lifetime of the request, in seconds."""

    @property
    def target(self) -> TokenTarget:
        """The resource and the scopes."""
        return self.case.target

    @property
    def types(self) -> list[str]:
        """The action types of the details."""
        return [action.type for action in self.case.actions]

    @property
    def verdict(self) -> Verdict:
        """The verdict of policy."""
        return self.answer_sources.verdict

    @property
    def requirements(self) -> Requirements | None:
        """The requirements for approving; None if no one is asked."""
        return self.verdict.requirements

    @property
    def ceremony(self) -> Ceremony:
        """The steps required to approve it."""
        return CONFIRM if self.requirements is None else self.requirements.ceremony

    @property
    def risk(self) -> Risk:
        """The risk at which it is shown."""
        return self.verdict.risk


@dataclass(frozen=True, slots=True)
class RequestPlanner:
    """Validates requests and evaluates policy for them."""

    evaluator: Evaluator
    server_policy: ServerPolicy

    def validate(self, tx: Unit, call: BackchannelCall) -> PolicyRequest:
        """Validate the request against the agent's permissions. Raises errors.ProtocolError."""
        request, agent = call.request, call.agent
        target, actions = self._openid_target(request), tuple[ActionType, ...]()
        if target is None:
            target = targets.resolve(tx.directory, agent, request.resource, request.scope)
            actions = self.evaluator.schemas.check(
                tx.directory, request.details, agent.action_types
            )
            targets.check_required_types(target, frozenset(action.type for action in actions))
        return PolicyRequest(
            flow="request",
            agent=agent,
            user=None,
            target=target,
            details=request.details,
            actions=actions,
            wants_pin=requests.wants_pin(request.acr_values),
            at_least=request.risk,
        )

    def _openid_target(self, request: BackchannelRequest) -> TokenTarget | None:
        """Return the target of a request for OpenID scopes only; None for other requests."""
        if request.scope or request.details:
            return None
        audience = self.server_policy.userinfo_audience
        if not uris.may_name(request.resource, audience):
            raise errors.InvalidTarget("Request a scope of this resource, or send details.")
        return targets.about_person(audience, request.openid_scope)

    def plan(
        self, tx: Unit, call: BackchannelCall, case: PolicyRequest, user: User | None
    ) -> RequestPlan:
        """Evaluate policy for the request; without a user, for a user whom no rule names."""
        case = replace(case, user=user)
        sources = answer_sources.find_answer_sources(
            tx,
            case,
            self.evaluator.decide(tx, case),
            requires_person=bool(call.request.acr_values),
            from_exchange=call.hint is not None,
        )
        return RequestPlan(case, sources, _lifetime_seconds(tx, call, sources.verdict))


def _lifetime_seconds(tx: Unit, call: BackchannelCall, verdict: Verdict) -> int:
    """Return the lifetime that policy allows, limited by the agent and the parent token."""
    policy_seconds = (
        TIME_TO_LIVE[verdict.risk] if verdict.requirements is None else verdict.requirements.seconds
    )
    max_seconds = min(policy_seconds, _parent_seconds(tx, call))
    return min(call.request.requested_expiry or max_seconds, max_seconds)


def _parent_seconds(tx: Unit, call: BackchannelCall) -> int:
    """Return the seconds until the parent token expires; a later answer would be useless."""
    parent = None if call.hint is None else tx.delegations.get(call.hint.parent)
    if parent is None:
        return max(TIME_TO_LIVE.values())
    return max(1, (parent.expires_at - tx.now) // 1000)


def current_agent(tx: Unit, call: BackchannelCall) -> Agent:
    """Return the current agent; the request was parsed with an earlier registration."""
    agent = client_auth.current_agent(tx, call.agent)
    if names.GRANT_CIBA not in agent.grant_types:
        raise errors.UnauthorizedClient("This agent is not registered for CIBA.")
    if _parsing_fields(agent) != _parsing_fields(call.agent):
        raise errors.InvalidRequest("The registration of this agent has changed. Try again.")
    return agent


def request_hash(request: BackchannelRequest) -> bytes:
    """Hash the parameters of the request that a repeated request may not change."""
    members: dict[str, object] = {
        name: getattr(request, name)
        for name in BackchannelRequest.__slots__
        if name != "user_code"  # a hash of a short code would reveal it
    }
    members["notification_token"] = None  # the client may create a new one for each call
    if request.login_hint_token is not None:  # it differs in a repeated exchange or call
        members["login_hint_token"] = login_hint_tokens.comparable(request.login_hint_token)
    text = json.dumps(members, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


def _parsing_fields(agent: Agent) -> tuple[object, ...]:
    """Return the fields of the agent that affect how a request is parsed."""
    return agent.request_alg, agent.jwks, agent.delivery


def refuse(
    tx: Unit,
    call: BackchannelCall,
    plan: RequestPlan,
    reason: str,
    text: str,
    members: Mapping[str, object] | None = None,
) -> errors.RequestRefused:
    """Record that policy refused the request, and return the error (CIBA 13)."""
    floods.record_refusal(
        tx,
        Entry(
            type=audit.Type.APPROVAL_REFUSED,
            actor=audit.by_agent(call.agent.id),
            agent_id=call.agent.id,
            resource=plan.target.resource.uri,
            action=" ".join([*plan.target.scope, *plan.types]),
            decision="refused",
            posture=plan.risk,
            cause=reason,
            facts={
                "policy": plan.verdict.facts(),
                "scope": list(plan.target.scope),
                "types": plan.types,
            },
            caller_id=None if call.caller is None else call.caller.client,
        ),
    )
    members_sent = {"reason": reason} if reason in refusals.AGENT_CODES else members or {}
    return errors.RequestRefused(text, detail=reason, members=members_sent)


def refuse_ruled_out(
    tx: Unit, call: BackchannelCall, plan: RequestPlan
) -> errors.RequestRefused | None:
    """Return the refusal if policy forbids the request or too few people can be asked."""
    if not plan.answer_sources.is_ruled_out:
        return None
    if plan.requirements is None:
        return refuse(tx, call, plan, refusals.DENIED, refusals.FORBIDDEN)
    text = refusals.too_few_text(plan.requirements.quorum, plan.answer_sources.people.count)
    return refuse(tx, call, plan, refusals.TOO_FEW, text)


def record(
    tx: Unit, call: BackchannelCall, approval: Approval, hashes: Mapping[str, object]
) -> None:
    """Record the request, with the hashes for finding the entry."""
    message = call.request.binding_message
    tx.audit.add(
        audit.request_entry(
            approval,
            audit.by_agent(call.agent.id),
            {
                **hashes,
                "types": [str(detail["type"]) for detail in call.request.details],
                **({} if message is None else {"agent_says": display_safe(message)}),
                **({"supersedes": approval.supersedes} if approval.supersedes else {}),
            },
        ),
    )


def find_superseded(
    view: View, agent: Agent, user: User, handle: str | None, hint_hash: bytes | None = None
) -> Approval | None:
    """Find the request to supersede; None if the new request names none.

    Checks, in order, that: 1. it is this agent's request, because other agents' requests must look
    unknown; 2. it is pending; 3. it asks the same user. With `hint_hash`, the login hints must be
    equal instead, so that the agent does not learn whether two hints name the same user. Raises
    errors.InvalidRequest.
    """
    if handle is None:
        return None
    approval = view.approvals.by_handle(hashlib.sha256(handle.encode()).digest())
    if approval is None or (approval.agent_id, approval.kind) != (agent.id, "action"):
        raise errors.InvalidRequest("supersedes must be the auth_req_id of one of your requests.")
    if not approval.is_pending(view.now):
        raise _no_longer_pending()
    asks_same_user = json.loads(approval.action)["user"] == user.id
    if not (asks_same_user if hint_hash is None else approval.hint_hash == hint_hash):
        raise errors.InvalidRequest("supersedes must name a request to the same person.")
    return approval


def cancel_superseded(tx: Unit, earlier: Approval, newer: Approval) -> None:
    """Cancel the earlier request.

    Raises errors.InvalidRequest if it was answered in the meantime.
    """
    actor, facts = audit.by_agent(newer.agent_id), {"superseded_by": newer.id}
    if not withdrawals.withdraw(
        tx, [earlier], reason=withdrawals.SUPERSEDED, actor=actor, facts=facts
    ):
        raise _no_longer_pending()


def _no_longer_pending() -> errors.InvalidRequest:
    return errors.InvalidRequest(
        "supersedes names a request that is not pending. Fetch its result, then omit supersedes."
    )
