"""The agent's side of an approval: asking. The person's side is `approvals.py`."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from server.model.approvals import Approval
from server.model.clients import Agent
from server.model.ports import Secrets
from server.model.store import Store, Unit
from server.model.users import User
from server.protocol import errors, names
from server.protocol.approvals import ceremonies, decisions
from server.protocol.approvals.states import State, overdue
from server.protocol.ciba import login_hints, requests
from server.protocol.forms import Form
from server.protocol.resources import scopes
from server.services.approvals import superseding
from server.services.approvals.ceremonies import Ceremonies
from server.services.approvers import approvers, deciders, escalations
from server.services.approvers import substitutes as stand_ins
from server.services.approvers.substitutes import Substitutes
from server.services.audit import audit
from server.services.ciba import ciba_entries, notification_tokens, plans, redemption, user_codes
from server.services.ciba.hints import Hints
from server.services.ciba.login_hints import LoginHints
from server.services.ciba.plans import BackchannelCall, Plans, RequestPlan, as_text
from server.services.ciba.request_objects import RequestObjects
from server.services.clients import agent_names
from server.services.notifications import notices, request_limits
from server.services.policy import displays, history, refusals
from server.services.policy.displays import DisplayedRequest
from server.services.resources import targets
from server.services.server_policy import ServerPolicy
from server.services.standing_grants import uses
from server.services.tokens import delegations
from server.services.users.proofs import Proofs

_MOST_KEY = 255


@dataclass(frozen=True, slots=True)
class CibaService:
    """Turns a request into an approval that waits for its answer."""

    store: Store
    secrets: Secrets
    plans: Plans
    hints: Hints
    objects: RequestObjects
    proofs: Proofs
    login_hints: LoginHints
    rules: ServerPolicy
    ceremonies: Ceremonies
    stand_ins: Substitutes

    def start(
        self,
        agent: Agent,
        form: Form,
        *,
        idempotency_key: str | None,
        peer: str,
        proofs: Sequence[str] = (),
    ) -> dict[str, object]:
        """The acknowledgement of CIBA 7.3, with the fingerprint that the person will see.

        Raises the errors of CIBA 13; what a refusal must remember is stored before it is raised.
        """
        if idempotency_key is not None and not 0 < len(idempotency_key) <= _MOST_KEY:
            raise errors.InvalidRequest(f"Idempotency-Key must have 1 to {_MOST_KEY} characters.")
        with self.store.read() as view:
            now = view.now
        form, used = self.objects.read(agent, form, now)
        request = requests.parse_request(form)
        token = None if agent.delivery == "poll" else requests.check_notification_token(request)
        sent = plans.request_hash(request)
        ask = BackchannelCall(agent, request, idempotency_key, peer, used, proofs, token, sent)
        with self.store.write() as tx:
            result = self._start(tx, ask)
            now = tx.now
        if isinstance(result, errors.ProtocolError):
            raise result
        number = None if result.decided_by else self.ceremonies.number(result)
        matched = {} if number is None else {"match_code": number}
        polled = {} if result.delivery == "push" else {"interval": requests.INTERVAL_MS // 1000}
        return {
            "auth_req_id": self.secrets.auth_req_id(result.id),
            "expires_in": max(1, (result.expires_at - now + 999) // 1000),
            **polled,
            "fingerprint": decisions.fingerprint(result.action_digest),
            **matched,
        }

    def _start(self, tx: Unit, ask: BackchannelCall) -> Approval | errors.ProtocolError:
        """Make the approval, or say why not.

        1. The agent may ask, and is as it was when its request was read.  2. A repeated call joins;
        a signed request counts once.  3. What is asked for is what a `login_hint_token` fixes, is
        well-formed and within its ceiling.  4. Policy lets this person be asked.  5. They exist for
        this agent.  6. Nothing speaks against asking them.
        """
        if ask.idempotency_key is not None:
            tx.lock(f"idempotency {ask.agent.id}")
        agent = plans.admitted(tx, ask)
        ask = replace(ask, agent=agent)
        if (joined := self._join(tx, ask)) is not None:
            return joined
        ask.used.count(tx)
        ask = self._hinted(tx, agent, ask)
        draft = self.plans.draft(tx, agent, ask)
        known = None if ask.hint is None else ask.hint.user
        named = self.hints.named(tx, agent, ask.request, known)
        user = self.hints.askable(tx, agent, named)
        judged = partial(self.plans.judged, tx, ask, agent, draft)
        if self.rules.hide_unknown_users:
            return self._start_hidden(tx, ask, judged, user, named.hash(self.secrets, agent.id))
        plan = judged(user)
        if (refused := self._ruled_out(tx, ask, plan)) is not None:
            return refused
        if user is None:
            return self._unknown(tx, ask, plan)
        if (stopped := self._stopped(tx, ask, agent, plan, user)) is not None:
            return stopped
        return self._ask(tx, ask, plan, user)

    def _start_hidden(
        self,
        tx: Unit,
        ask: BackchannelCall,
        judged: Callable[[User | None], RequestPlan],
        user: User | None,
        hint_hash: bytes,
    ) -> Approval | errors.ProtocolError:
        """The same if users are hidden from the agent: the same steps for a phantom.

        1. What policy refuses for anybody, it refuses.  2. Limits count by what the agent named.
        3. Whatever speaks against this one person alone makes the request one to a phantom, which
        waits and expires alike.
        """
        phantom = self._nobody(hint_hash)
        somebody = user or phantom
        plan, anybody = judged(somebody), judged(None)
        request_limits.lock(tx, ask.agent)
        tx.lock(f"asked {somebody.id}")
        earlier = superseding.named(
            tx, ask.agent, somebody, ask.request.supersedes, hint_hash=hint_hash
        )
        if plan.by.asked:
            if (refused := self._ruled_out(tx, ask, anybody)) is not None:
                return refused
            room = request_limits.RemainingRequests(tx, ask.agent, self.rules, earlier)
            if (cap := room.hidden_refusal(hint_hash, anybody.risk)) is not None:
                return ciba_entries.refuse(tx, ask, anybody, *cap)
        against = self._against(tx, ask, plan, somebody, earlier)
        if user is None or against:
            return self._ask(tx, ask, anybody, phantom, hint_hash=hint_hash, phantom=True)
        return self._ask(tx, ask, plan, user, hint_hash=hint_hash)

    def _against(
        self,
        tx: Unit,
        ask: BackchannelCall,
        plan: RequestPlan,
        user: User,
        earlier: Approval | None,
    ) -> bool:
        """Reports whether there is a reason not to ask this person; every reason is checked."""
        code = user_codes.refusal(tx, self.secrets, ask.agent, user, ask.request.user_code)
        cap = self._cap(tx, ask.agent, plan, user, earlier)
        return (plan.by.asked and plan.by.is_ruled_out) or code is not None or cap is not None

    def _cap(
        self, tx: Unit, agent: Agent, plan: RequestPlan, user: User, earlier: Approval | None
    ) -> request_limits.RequestLimit | None:
        """Why this agent may not ask this person now, or gets nothing from them now."""
        types = [action.type for action in plan.actions]
        if not plan.by.asked:
            return request_limits.pause(tx, agent, user, types, self.rules)
        room = request_limits.RemainingRequests(tx, agent, self.rules, earlier)
        beside = stand_ins.beside(tx, plan.by.people.others, user, types, plan.risk)
        return room.refusal(user, types, plan.risk, beside)

    def _stopped(
        self, tx: Unit, ask: BackchannelCall, agent: Agent, plan: RequestPlan, user: User
    ) -> errors.ProtocolError | None:
        """Why this person is not asked; None when they are.

        1. The agent does not guess names.  2. It knows the person's code, where it takes one.
        3. What this should take the place of is its own and waits.  4. The person is not flooded.
        """
        request_limits.lock(tx, agent)
        if request_limits.guessing(tx, agent):
            return ciba_entries.refuse(
                tx, ask, plan, "guessing", "Too many unknown users. Wait ten minutes."
            )
        code = ask.request.user_code
        if (wrong := user_codes.refusal(tx, self.secrets, agent, user, code)) is not None:
            return wrong
        tx.lock(f"asked {user.id}")
        earlier = superseding.named(tx, agent, user, ask.request.supersedes)
        cap = self._cap(tx, agent, plan, user, earlier)
        return None if cap is None else ciba_entries.refuse(tx, ask, plan, *cap)

    def _join(self, tx: Unit, ask: BackchannelCall) -> Approval | None:
        """The approval that this key already made. Raises errors.InvalidRequest for another one."""
        if ask.idempotency_hash is None:
            return None
        found = tx.approvals.by_idempotency(ask.agent.id, ask.idempotency_hash)
        if found is None:
            return None
        if found.request_hash != ask.request_hash:
            raise errors.InvalidRequest("This Idempotency-Key was used for another request.")
        waits = found.state in {State.PENDING, State.APPROVED}
        if not waits or overdue(found.state, found.expires_at, tx.now):
            raise errors.InvalidRequest("This Idempotency-Key's request is over; use a new key.")
        return found

    def _hinted(self, tx: Unit, agent: Agent, ask: BackchannelCall) -> BackchannelCall:
        """The request with what its `login_hint_token` fixes; whatever else it says must agree."""
        token, request = ask.request.login_hint_token, ask.request
        if token is None:
            return ask
        hint = self.login_hints.read(tx, agent, token)
        details = login_hints.check_request(
            hint, resource=request.resource, scope=request.scope, details=request.details
        )
        fixed = replace(request, resource=hint.resource, scope=hint.scope, details=details)
        return replace(ask, request=fixed, hint=hint)

    def _ruled_out(
        self, tx: Unit, ask: BackchannelCall, plan: RequestPlan
    ) -> errors.RequestRefused | None:
        """The refusal of what policy forbids, or for which too few people can be asked."""
        if not (plan.by.asked and plan.by.is_ruled_out):
            return None
        if plan.needs is None:
            return ciba_entries.refuse(tx, ask, plan, refusals.DENIED, refusals.FORBIDDEN)
        text = refusals.too_few(plan.needs.quorum, plan.by.people.count)
        return ciba_entries.refuse(tx, ask, plan, refusals.TOO_FEW, text)

    def _unknown(self, tx: Unit, ask: BackchannelCall, plan: RequestPlan) -> errors.ProtocolError:
        request_limits.lock(tx, ask.agent)
        if request_limits.too_many_unknown(tx, ask.agent):
            return ciba_entries.refuse(
                tx, ask, plan, "guessing", "Too many unknown users. Wait ten minutes."
            )
        return errors.UnknownUserId("The hint names nobody whom this agent may ask.")

    def _nobody(self, hint_hash: bytes) -> User:
        """Whom a hint that names nobody stands for; the same one however it is spelled."""
        name = self.secrets.nonce("nobody", hint_hash.hex())
        return User(names.PREFIX_USER + name, "nobody", None, (), "enabled", 0)

    def _ask(  # agent, person and request
        self,
        tx: Unit,
        ask: BackchannelCall,
        plan: RequestPlan,
        user: User,
        *,
        hint_hash: bytes | None = None,
        phantom: bool = False,
    ) -> Approval:
        earlier = superseding.named(
            tx, ask.agent, user, ask.request.supersedes, hint_hash=hint_hash
        )
        approval = self._approval(tx, ask, plan, user, phantom=phantom)
        approval = replace(approval, hint_hash=hint_hash)
        if earlier is not None:
            approval = replace(approval, supersedes=earlier.id)
            superseding.end(tx, earlier, approval)
        if ask.hint is not None:
            self.login_hints.spend(tx, ask.hint)
        by = plan.by
        decider = by.decider or uses.reserve(tx, by.fits, by.verdict, approval.id)
        if decider is not None:
            approval = deciders.decided(approval, decider, tx.now)
        tx.approvals.add(approval)
        if approval.several:
            approvers.write(tx, approval, by.people.others)
        ciba_entries.record(tx, audit.Type.APPROVAL_REQUESTED, ask, approval)
        if decider is not None:
            deciders.tell(tx, approval, screens=decider.tells)
            return approval
        history.count(tx, approval)
        if phantom:
            notices.requested_of_nobody(tx, approval, user.id, self.rules)
            types = [action.type for action in plan.actions]
            stand_ins.beside(tx, plan.by.people.others, user, types, plan.risk)
        else:
            notices.requested(tx, approval, self.rules)
            self.stand_ins.ask_at_once(tx, approval)
        return approval

    def _approval(
        self, tx: Unit, ask: BackchannelCall, plan: RequestPlan, user: User, *, phantom: bool
    ) -> Approval:
        approval_id = self.secrets.new_id(names.PREFIX_APPROVAL)
        handle = self.secrets.auth_req_id(approval_id)
        expires_at = tx.now + plan.seconds * 1000
        action = decisions.action_text(
            agent=ask.agent.id,
            authorization_details=[dict(detail) for detail in ask.request.details],
            resource=plan.target.resource.uri,
            salt=self.secrets.salt(),
            scope=plan.target.scope,
            user=user.id,
        )
        asked = self._asked(tx, ask, plan, user, approval_id=approval_id, expires_at=expires_at)
        compared = history.look(tx, self.secrets, asked)
        display = displays.display_text(asked, compared.unusual)
        return Approval(
            id=approval_id,
            auth_req_hash=hashlib.sha256(handle.encode()).digest(),
            agent_id=ask.agent.id,
            user_id=None if phantom else user.id,
            resource=plan.target.resource.uri,
            scope=scopes.text(plan.target.scope),
            openid_scope=scopes.text(ask.request.openid_scope),
            details=as_text(list(ask.request.details)),
            risk=plan.risk,
            ceremony=ceremonies.spelled(plan.ceremony),
            action=action,
            display=display,
            action_digest=decisions.digest(action),
            display_digest=decisions.digest(display),
            acr_values=ask.request.acr_values,
            state=State.PENDING,
            reason=None,
            created_at=tx.now,
            expires_at=expires_at,
            interval_ms=requests.INTERVAL_MS,
            last_poll_at=None,
            polls=0,
            holder=None,
            seen_at=None,
            decided_at=None,
            idempotency_hash=ask.idempotency_hash,
            request_hash=ask.request_hash,
            answer=None,
            answer_key=None,
            answer_until=None,
            parent_id=None if phantom or ask.hint is None else ask.hint.parent,
            delivery=ask.agent.delivery,
            notification_token=notification_tokens.sealed(
                self.secrets, approval_id, ask.notification_token
            ),
            jkt=self._bound(tx, ask) if ask.agent.delivery == "push" else None,
            policy=as_text(plan.verdict.facts()),
            past=compared.text,
            life_ms=plan.seconds * 1000,
            escalate_at=None if phantom else escalations.halfway(tx.now, expires_at),
            quorum=plan.by.quorum,
            several=bool(plan.by.people.others) and not phantom,
        )

    def _bound(self, tx: Unit, ask: BackchannelCall) -> str | None:
        """Pushed tokens are bound to the key that is proved here (CIBA 10.3, RFC 9449 5)."""
        path = "/bc-authorize"
        jkt = self.proofs.of_client(tx, ask.proofs, path=path) if ask.proofs else None
        if ask.agent.dpop_bound and jkt is None:
            raise errors.InvalidDpopProof("Tokens of this client are bound: send a DPoP proof.")
        if ask.hint is not None and not redemption.proves(tx, ask.hint.parent, jkt):
            raise errors.InvalidDpopProof(redemption.UNPROVED)
        return jkt

    def _asked(  # the facts of one request
        self,
        tx: Unit,
        ask: BackchannelCall,
        plan: RequestPlan,
        user: User,
        *,
        approval_id: str,
        expires_at: int,
    ) -> DisplayedRequest:
        owners = [tx.directory.user(owner) for owner in ask.agent.owners]
        return DisplayedRequest(
            approval_id=approval_id,
            agent=ask.agent,
            owners=tuple(owner.name for owner in owners if owner is not None),
            user=user,
            target=plan.target,
            details=ask.request.details,
            actions=plan.actions,
            risk=plan.risk,
            because=plan.verdict.because,
            ceremony=plan.ceremony,
            binding_message=ask.request.binding_message,
            first_request=agent_names.first_request(tx, ask.agent.id, user.id),
            peer=ask.peer,
            asked_at=tx.now,
            expires_at=expires_at,
            token_seconds=targets.lifetime(
                ask.agent, plan.target.resource, self.rules.access_token_seconds
            ),
            through=() if ask.hint is None else delegations.actors(tx, ask.hint.parent),
        )
