"""The backchannel authentication endpoint for agents. `approvals` is the approver's side."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from server.model.approval_requests import NewApproval
from server.model.approvals import Approval
from server.model.clients import Agent
from server.model.ports import Secrets
from server.model.store import Store, Unit
from server.model.users import User
from server.protocol import errors, names
from server.protocol.approvals import ceremonies, decisions
from server.protocol.approvals.ceremonies import Step
from server.protocol.ciba import login_hint_tokens as login_hints
from server.protocol.ciba import requests
from server.protocol.forms import Form
from server.protocol.resources import scopes
from server.services.approvals import creation
from server.services.approvers import answer_sources, approvers, substitutes
from server.services.approvers.substitutes import Substitutes
from server.services.audit import audit
from server.services.ciba import callbacks, plans, redemption, user_codes
from server.services.ciba.login_hints import LoginHints, client_of, find_askable_user, read_caller
from server.services.ciba.plans import (
    BackchannelCall,
    RequestObjects,
    RequestPlan,
    RequestPlanner,
)
from server.services.notifications import attention, notices, request_limits
from server.services.notifications.request_limits import UNKNOWN_USERS
from server.services.policy import displays, history
from server.services.policy.displays import DisplayedRequest
from server.services.policy.history_keys import RequestToCompare
from server.services.resources import targets
from server.services.server_policy import ServerPolicy
from server.services.standing_grants import uses
from server.services.tokens import delegations
from server.services.tokens.issued_tokens import IssuedTokens
from server.services.users.dpop_proofs import Proofs

_MAX_KEY_LENGTH = 255
_GUESSING = "guessing", "Too many unknown users. Wait ten minutes."


@dataclass(frozen=True, slots=True)
class BackchannelService:
    """Creates approvals from agents' requests."""

    store: Store
    secrets: Secrets
    planner: RequestPlanner
    objects: RequestObjects
    proofs: Proofs
    login_hints: LoginHints
    server_policy: ServerPolicy
    substitutes: Substitutes
    issued_tokens: IssuedTokens

    def start(
        self,
        agent: Agent,
        form: Form,
        *,
        idempotency_key: str | None,
        peer: str,
        proofs: Sequence[str] = (),
    ) -> dict[str, object]:
        """Return the acknowledgment (CIBA 7.3), with the fingerprint that the person sees.

        Raises the errors of CIBA 13. A refusal's changes are stored before the error is raised.
        """
        if idempotency_key is not None and not 0 < len(idempotency_key) <= _MAX_KEY_LENGTH:
            raise errors.InvalidRequest(
                f"Idempotency-Key must have 1 to {_MAX_KEY_LENGTH} characters."
            )
        with self.store.read() as view:
            now = view.now
        form, replay_key = self.objects.read(agent, form, now)
        request = requests.parse_request(form)
        token = None if agent.delivery == "poll" else requests.check_notification_token(request)
        sent_hash = plans.request_hash(request)
        call = BackchannelCall(
            agent, request, idempotency_key, peer, replay_key, proofs, token, sent_hash
        )
        with self.store.write() as tx:
            result = self._start(tx, call)
            now = tx.now
        if isinstance(result, errors.ProtocolError):
            raise result
        number = self.match_number(result)
        interval = {} if result.delivery == "push" else {"interval": requests.INTERVAL_MS // 1000}
        return {
            "auth_req_id": self.secrets.auth_req_id(result.id),
            "expires_in": max(1, (result.expires_at - now + 999) // 1000),
            **interval,
            "fingerprint": decisions.fingerprint(result.action_digest),
            **({} if number is None else {"match_code": number}),
        }

    def match_number(self, approval: Approval) -> str | None:
        """Return the number that the agent shows and the person types; derived, never stored."""
        steps = ceremonies.parse_ceremony(approval.ceremony)
        if approval.decided_by or Step.MATCH not in steps:
            return None
        return ceremonies.match_number(self.secrets.nonce(Step.MATCH, approval.id))

    def _start(self, tx: Unit, call: BackchannelCall) -> Approval | errors.ProtocolError:
        """Create the approval, or return the error.

        Rules, in order: 1. The agent may ask, and its registration is unchanged. 2. A repeated call
        returns the first approval; a signed request is used once. 3. The request matches its
        `login_hint_token`, is valid and within the agent's permissions. 4. Policy allows asking
        this person. 5. The user exists and the agent may ask them. 6. No limit prevents it.
        """
        if call.idempotency_key is not None:
            tx.lock(f"idempotency {call.agent.id}")
        call = replace(call, agent=plans.current_agent(tx, call))
        if (repeated := self._find_repeated(tx, call)) is not None:
            return repeated
        call.replay_key.mark_used(tx)
        call = self._with_login_hint(tx, call)
        plan_for = partial(self.planner.plan, tx, call, self.planner.validate(tx, call))
        hinted_user = self.login_hints.hinted_user(tx, call.agent, call.request, call.known_user)
        user = find_askable_user(tx, call.agent, hinted_user)
        if self.server_policy.hide_unknown_users:
            hint_hash = hinted_user.hash(self.secrets, call.agent.id)
            return self._start_hidden(tx, call, plan_for, user, hint_hash)
        plan = plan_for(user)
        if (refused := plans.refuse_ruled_out(tx, call, plan)) is not None:
            return refused
        if user is None:
            return self._unknown_user(tx, call, plan)
        if (refusal := self._refusal(tx, call, plan, user)) is not None:
            return refusal
        return self._create(tx, call, plan, user)

    def _start_hidden(
        self,
        tx: Unit,
        call: BackchannelCall,
        plan_for: Callable[[User | None], RequestPlan],
        user: User | None,
        hint_hash: bytes,
    ) -> Approval | errors.ProtocolError:
        """Create the approval, or return the error, while unknown users are hidden from agents.

        Rules, in order: 1. Policy must not refuse the request for every user. 2. Limits are counted
        by hint. 3. If a reason concerns only this person, the approval is for a phantom user and
        simply expires.
        """
        phantom = self._phantom_user(hint_hash)
        candidate = user or phantom
        plan, for_anyone = plan_for(candidate), plan_for(None)
        request_limits.lock(tx, call.agent)
        tx.lock(f"asked {candidate.id}")
        earlier = plans.find_superseded(
            tx, call.agent, candidate, call.request.supersedes, hint_hash=hint_hash
        )
        if plan.answer_sources.needs_person:
            if (refused := plans.refuse_ruled_out(tx, call, for_anyone)) is not None:
                return refused
            policy = self.server_policy
            remaining = request_limits.RemainingRequests(tx, call.agent, policy, earlier)
            if (limit := remaining.hidden_refusal(hint_hash, for_anyone.risk)) is not None:
                return plans.refuse(tx, call, for_anyone, *limit)
        must_not_ask = self._must_not_ask(tx, call, plan, candidate, earlier)
        if user is None or must_not_ask:
            return self._create(tx, call, for_anyone, phantom, hint_hash=hint_hash, phantom=True)
        return self._create(tx, call, plan, user, hint_hash=hint_hash)

    def _must_not_ask(
        self,
        tx: Unit,
        call: BackchannelCall,
        plan: RequestPlan,
        user: User,
        earlier: Approval | None,
    ) -> bool:
        """Return whether any reason prevents asking this person; always checks every reason."""
        code = user_codes.refusal(tx, self.secrets, call.agent, user, call.request.user_code)
        limit = self._limit(tx, call.agent, plan, user, earlier)
        return plan.answer_sources.is_ruled_out or code is not None or limit is not None

    def _limit(
        self, tx: Unit, agent: Agent, plan: RequestPlan, user: User, earlier: Approval | None
    ) -> request_limits.RequestLimit | None:
        """Return the limit that prevents asking this person or deciding automatically for them."""
        if not plan.answer_sources.needs_person:
            return request_limits.pause(tx, agent, user, plan.types, self.server_policy)
        remaining = request_limits.RemainingRequests(tx, agent, self.server_policy, earlier)
        others = _additional_approvers(tx, plan, user)
        return remaining.refusal(user, plan.types, plan.risk, others)

    def _refusal(
        self, tx: Unit, call: BackchannelCall, plan: RequestPlan, user: User
    ) -> errors.ProtocolError | None:
        """Return why this person cannot be asked; None if they can.

        Checks, in order, that: 1. the agent does not guess names; 2. it sends the right user code;
        3. the request it supersedes is its own and pending; 4. its limits are not reached.
        """
        agent = call.agent
        request_limits.lock(tx, agent)
        if tx.counters.peek_subject(UNKNOWN_USERS, agent.id) > UNKNOWN_USERS.value:
            return plans.refuse(tx, call, plan, *_GUESSING)
        code = call.request.user_code
        if (wrong := user_codes.refusal(tx, self.secrets, agent, user, code)) is not None:
            return wrong
        tx.lock(f"asked {user.id}")
        earlier = plans.find_superseded(tx, agent, user, call.request.supersedes)
        limit = self._limit(tx, agent, plan, user, earlier)
        return None if limit is None else plans.refuse(tx, call, plan, *limit)

    def _find_repeated(self, tx: Unit, call: BackchannelCall) -> Approval | None:
        """Return the approval for this key. Raises InvalidRequest if the request differs.

        Callbacks that have not been delivered present the newest notification token.
        """
        if call.idempotency_hash is None:
            return None
        approval = tx.approvals.by_idempotency(call.agent.id, call.idempotency_hash)
        if approval is not None and approval.request_hash != call.request_hash:
            raise errors.InvalidRequest("A different request used this Idempotency-Key.")
        if approval is not None and approval.notification_token and call.notification_token:
            token = callbacks.encrypt_token(self.secrets, approval.id, call.notification_token)
            tx.approvals.set_notification_token(approval.id, token)
        return approval

    def _with_login_hint(self, tx: Unit, call: BackchannelCall) -> BackchannelCall:
        """Apply the values of a `login_hint_token` from an exchange, or add the caller."""
        token, request = call.request.login_hint_token, call.request
        if token is None:
            return call
        if not login_hints.is_from_exchange(token):
            return replace(call, caller=read_caller(self.issued_tokens, tx, call.agent, token))
        hint = self.login_hints.read(tx, call.agent, token)
        details = login_hints.check_request(
            hint, resource=request.resource, scope=request.scope, details=request.details
        )
        hinted = replace(request, resource=hint.resource, scope=hint.scope, details=details)
        return replace(call, request=hinted, hint=hint)

    def _unknown_user(
        self, tx: Unit, call: BackchannelCall, plan: RequestPlan
    ) -> errors.ProtocolError:
        request_limits.lock(tx, call.agent)
        if tx.counters.count_subject(UNKNOWN_USERS, call.agent.id) > UNKNOWN_USERS.value:
            return plans.refuse(tx, call, plan, *_GUESSING)
        return errors.UnknownUserId("The hint names no user whom this agent can ask.")

    def _phantom_user(self, hint_hash: bytes) -> User:
        """Return a phantom user, which is the same for all spellings of the hint."""
        name = self.secrets.nonce("nobody", hint_hash.hex())
        return User(names.PREFIX_USER + name, "nobody", None, (), "enabled", 0)

    def _create(
        self,
        tx: Unit,
        call: BackchannelCall,
        plan: RequestPlan,
        user: User,
        *,
        hint_hash: bytes | None = None,
        phantom: bool = False,
    ) -> Approval:
        earlier = plans.find_superseded(
            tx, call.agent, user, call.request.supersedes, hint_hash=hint_hash
        )
        approval = self._new_approval(tx, call, plan, user, phantom=phantom)
        approval = replace(approval, hint_hash=hint_hash)
        if earlier is not None:
            approval = replace(approval, supersedes=earlier.id)
            plans.cancel_superseded(tx, earlier, approval)
        if call.hint is not None:
            self.login_hints.spend(tx, call.hint)
        sources = plan.answer_sources
        decider = sources.decider or uses.reserve(
            tx, sources.covering_grants, sources.verdict, approval.id
        )
        if decider is not None:
            approval = answer_sources.approve_automatically(approval, decider, tx.now)
        tx.approvals.add(approval)
        if approval.multi_approver:
            approvers.store_approvers(tx, approval, sources.people.others)
        values = {
            "auth_req_id": self.secrets.auth_req_id(approval.id),
            "login_hint": call.request.login_hint,
        }
        plans.record(tx, call, approval, audit.hashes(self.secrets, **values))
        if decider is not None:
            answer_sources.record_and_notify(tx, approval, screens=decider.notifies)
            return approval
        history.count_request(tx, approval)
        if phantom:
            notices.requested_of_nobody(tx, approval, user.id, self.server_policy)
            _additional_approvers(tx, plan, user)  # takes as long as for a real user
        else:
            approval = self.substitutes.add_immediate(tx, approval)
            notices.requested(tx, approval, self.server_policy)
        return approval

    def _new_approval(
        self, tx: Unit, call: BackchannelCall, plan: RequestPlan, user: User, *, phantom: bool
    ) -> Approval:
        agent, case = call.agent, plan.case
        to_compare = RequestToCompare(agent, user, case.target, case.details, case.actions)
        compared = history.compare(tx, self.secrets, to_compare)
        displayed = self._displayed(tx, call, plan, user)
        new = NewApproval(
            client_id=agent.id,
            scope=case.target.scope,
            details=case.details,
            actor=audit.by_agent(agent.id),
            display=displays.request_display(displayed, compared.unusual),
            phantom=phantom,
            ceremony=plan.ceremony,
            policy=plan.verdict.facts(),
            seconds=plan.seconds,
        )
        approval = creation.build_approval(tx, self.secrets, new)
        handle, token = self.secrets.auth_req_id(approval.id), call.notification_token
        return replace(
            approval,
            auth_req_hash=hashlib.sha256(handle.encode()).digest(),
            openid_scope=scopes.text(call.request.openid_scope),
            acr_values=call.request.acr_values,
            idempotency_hash=call.idempotency_hash,
            request_hash=call.request_hash,
            parent_id=None if phantom or call.hint is None else call.hint.parent,
            caller_id=None if phantom else client_of(tx, call.received_token),
            delivery=agent.delivery,
            notification_token=None
            if token is None
            else callbacks.encrypt_token(self.secrets, approval.id, token),
            jkt=self._proved_key(tx, call) if agent.delivery == "push" else None,
            past=compared.text,
            life_ms=plan.seconds * 1000,
            escalate_at=None if phantom else attention.halfway(tx.now, approval.expires_at),
            quorum=plan.answer_sources.quorum,
            multi_approver=bool(plan.answer_sources.people.others) and not phantom,
        )

    def _proved_key(self, tx: Unit, call: BackchannelCall) -> str | None:
        """Return the key that pushed tokens are bound to (CIBA 10.3, RFC 9449 5)."""
        path = "/bc-authorize"
        jkt = self.proofs.of_client(tx, call.proofs, path=path) if call.proofs else None
        if call.agent.dpop_bound and jkt is None:
            raise errors.InvalidDpopProof("This client's tokens are bound. Send a DPoP proof.")
        if call.hint is not None and not redemption.is_key_proved(tx, call.hint.parent, jkt):
            raise errors.InvalidDpopProof(redemption.PROOF_MISSING)
        return jkt

    def _displayed(
        self, tx: Unit, call: BackchannelCall, plan: RequestPlan, user: User
    ) -> DisplayedRequest:
        owners = [tx.directory.user(owner) for owner in call.agent.owners]
        return DisplayedRequest(
            agent=call.agent,
            owners=tuple(owner.name for owner in owners if owner is not None),
            user=user,
            target=plan.target,
            details=plan.case.details,
            actions=plan.case.actions,
            risk=plan.risk,
            because=plan.verdict.because,
            ceremony=plan.ceremony,
            binding_message=call.request.binding_message,
            first_request=displays.is_first_request(tx, call.agent.id, user.id),
            peer=call.peer,
            token_seconds=targets.lifetime(
                call.agent, plan.target.resource, self.server_policy.access_token_seconds
            ),
            through=delegations.actors(tx, call.received_token) if call.received_token else (),
        )


def _additional_approvers(tx: Unit, plan: RequestPlan, user: User) -> frozenset[str]:
    """Return the IDs of everyone who is asked, except the user the request is for."""
    named_approvers = plan.answer_sources.people.others
    return substitutes.additional_approver_ids(tx, named_approvers, user, plan.types, plan.risk)
