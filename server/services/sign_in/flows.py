"""The sign-in flow: sign in, consent, sign on a device, continue to the app.

Each page view recomputes the next step, so going back, reloading and a second window are safe.
"""

from dataclasses import dataclass
from typing import Final

from server.model.audit import Entry
from server.model.ports import Secrets, Verifier
from server.model.sign_in import AuthorizationCode, Flow, Grant
from server.model.store import Store, Unit, View
from server.protocol import errors
from server.protocol.names import PREFIX_CODE, handle_hash
from server.protocol.sign_in import authorize
from server.services.approvals.app_actions import AppActions
from server.services.approvals.withdrawals import withdraw
from server.services.audit import audit, floods
from server.services.consents.consents import ConsentService
from server.services.consents.offers import RequestedConsent
from server.services.sign_in.authorize import (
    AuthorizationPlan,
    AuthorizationResponse,
    AuthorizeService,
    ConsentNeeded,
)
from server.services.sign_in.flow_pages import (
    ConsentPage,
    SignInPage,
    WaitingPage,
    consent_page,
    sign_in_methods,
    sign_in_page,
)
from server.services.sign_in.sign_ins import SignedIn, SignIns
from server.services.tokens.keys import id_token_claims

CODE_MS: Final = 60_000
_FLOW_ENDED: Final = "This sign-in has ended. Go back to the app and start again."

Step = SignInPage | ConsentPage | WaitingPage | AuthorizationResponse


@dataclass(frozen=True, slots=True)
class _Ready:
    """A code can be issued."""

    plan: AuthorizationPlan
    signed_in: SignedIn
    approval_id: str | None = None
    """The approval signed for this code only."""


@dataclass(frozen=True, slots=True)
class _Refused:
    """The request is refused."""

    plan: AuthorizationPlan
    error: errors.ProtocolError


_Step = SignInPage | ConsentPage | WaitingPage | _Ready | _Refused
"""The next step of a flow, before the response to the app is stored."""


@dataclass(frozen=True, slots=True)
class Flows:
    """Moves an authorization request from page to page.

    Methods raise errors.ProtocolError, which is shown to the person, if no redirect URI is known.
    """

    store: Store
    secrets: Secrets
    verifier: Verifier
    requests: AuthorizeService
    consents: ConsentService
    actions: AppActions
    sign_ins: SignIns

    def step(self, handle: str, cookie: str, *, switch_user: bool = False) -> Step:
        """Return the page to show, or the response to the app."""
        with self.store.read() as view:
            flow, next_step = self._current_step(view, handle, cookie)
            if switch_user and isinstance(next_step, ConsentPage):
                return sign_in_page(self.requests.current_plan(view, flow), "")
        if not isinstance(next_step, _Ready | _Refused):
            return next_step
        with self.store.write() as tx:
            return self._end(tx, *self._current_step(tx, handle, cookie))

    def waits(self, handle: str, cookie: str) -> bool:
        """Return whether the person still has to answer on a device. Changes nothing."""
        with self.store.read() as view:
            return isinstance(self._current_step(view, handle, cookie)[1], WaitingPage)

    def consent(self, handle: str, cookie: str, *, peer: str) -> Step:
        """Store the consent given on the page, and request the signatures that are still needed."""
        with self.store.write() as tx:
            _lock_flow(tx, handle)
            flow = _open_flow(tx, handle)
            signed_in = self.sign_ins.current(tx, cookie)
            next_step = self._next(tx, flow, signed_in)
            if isinstance(next_step, ConsentPage) and signed_in is not None:
                plan = self.requests.current_plan(tx, flow)
                approval_ids = self._request_signatures(tx, plan, signed_in, peer)
                tx.flows.allow(flow.hash, signed_in.sign_in.id, approval_ids, tx.now)
        return self.step(handle, cookie)

    def _request_signatures(
        self, tx: Unit, plan: AuthorizationPlan, signed_in: SignedIn, peer: str
    ) -> tuple[str, ...]:
        """Create the approvals to sign; return their IDs."""
        approvals = [
            self.consents.ask(tx, _requested_consent(plan, consent, signed_in, peer))
            for consent in self._missing_consents(tx, plan, signed_in)
            if consent in plan.consents_to_sign
        ]
        if plan.action is not None:
            approvals.append(self.actions.ask(tx, plan.app, signed_in.user, plan.action, peer))
        return tuple(approval.id for approval in approvals)

    def deny(self, handle: str, cookie: str) -> Step:
        """Deny the request on the page, even if a device has approved it."""
        with self.store.write() as tx:
            _lock_flow(tx, handle)
            flow, next_step = self._current_step(tx, handle, cookie)
            if isinstance(next_step, ConsentPage | WaitingPage | _Ready):
                plan = self.requests.current_plan(tx, flow)
                return self._end(
                    tx, flow, _Refused(plan, errors.AccessDenied("Access was denied."))
                )
        return self.step(handle, cookie)

    def _current_step(self, view: View, handle: str, cookie: str) -> tuple[Flow, _Step]:
        flow = _open_flow(view, handle)
        return flow, self._next(view, flow, self.sign_ins.current(view, cookie))

    def _next(self, view: View, flow: Flow, signed_in: SignedIn | None) -> _Step:
        """Return the next step.

        Rules, in order: 1. The app may still make the request. 2. The right person signed in
        recently enough. 3. They consented; an action always needs a new approval. 4. They signed on
        a device.
        """
        plan = self.requests.current_plan(view, flow)
        try:
            return self._next_step(view, flow, plan, signed_in)
        except errors.InvalidRequest as error:  # an invalid hint is reported to the app
            return _Refused(plan, error)

    def _next_step(
        self, view: View, flow: Flow, plan: AuthorizationPlan, signed_in: SignedIn | None
    ) -> _Step:
        is_silent = "none" in plan.request.prompts
        if signed_in is None or not self._is_sufficient(view, flow, plan, signed_in):
            if is_silent:
                return _Refused(plan, errors.LoginRequired("No user is signed in."))
            name = plan.request.login_hint if signed_in is None else signed_in.user.name
            return sign_in_page(plan, name or "")
        if flow.allowed_at is not None:
            return self._signed_step(view, flow, plan, signed_in)
        missing = self._missing_consents(view, plan, signed_in)
        if not missing and plan.action is None:
            return _Ready(plan, signed_in)
        if is_silent:
            return _Refused(plan, errors.ConsentRequired("The user must be asked for consent."))
        return consent_page(view, plan, signed_in, missing)

    def _is_sufficient(
        self, view: View, flow: Flow, plan: AuthorizationPlan, signed_in: SignedIn
    ) -> bool:
        """Return whether this sign-in is sufficient (OpenID Connect Core 3.1.2.3)."""
        request, sign_in = plan.request, signed_in.sign_in
        if flow.sign_in_id not in {None, sign_in.id} or sign_in.acr not in sign_in_methods(plan):
            return False
        if not self._is_requested_user(view, plan, signed_in):
            return False
        if {"login", "select_account"} & set(request.prompts):
            return sign_in.auth_time >= flow.created_at
        oldest = None if request.max_age is None else flow.created_at - request.max_age * 1000
        return oldest is None or sign_in.auth_time >= oldest

    def _is_requested_user(self, view: View, plan: AuthorizationPlan, signed_in: SignedIn) -> bool:
        """Return whether the request is for this user: by `id_token_hint` or `sub` in `claims`."""
        request, user_id = plan.request, signed_in.user.id
        requested_ids = request.claims_request.sub
        if requested_ids is not None and user_id not in requested_ids:
            return False
        hint = request.id_token_hint
        return hint is None or self._hinted_subject(view, plan.app.id, hint) == user_id

    def _hinted_subject(self, view: View, app_id: str, hint: str) -> object:
        """Return the subject of our ID token. Raises errors.InvalidRequest if it is not valid."""
        claims = id_token_claims(self.verifier, view, hint)
        if claims.get("aud") != app_id:
            raise errors.InvalidRequest("id_token_hint was issued to a different client.")
        return claims.get("sub")

    def _missing_consents(
        self, view: View, plan: AuthorizationPlan, signed_in: SignedIn
    ) -> list[ConsentNeeded]:
        """Return the missing consents; all of them if the app sent `prompt=consent`."""
        if "consent" in plan.request.prompts:
            return list(plan.consents)
        return [
            consent for consent in plan.consents if not self._is_covered(view, consent, signed_in)
        ]

    def _is_covered(self, view: View, consent: ConsentNeeded, signed_in: SignedIn) -> bool:
        user = signed_in.user.id
        covering = self.consents.covering(
            view, user, consent.client_id, consent.resource, consent.scopes
        )
        return covering is not None

    def _signed_step(
        self, view: View, flow: Flow, plan: AuthorizationPlan, signed_in: SignedIn
    ) -> WaitingPage | _Ready | _Refused:
        """Return the next step after a device was asked."""
        user = signed_in.user.id
        action_outcomes = {
            approval_id: self.actions.outcome(view, approval_id, user)
            for approval_id in flow.approvals
        }
        outcomes = [
            outcome or self.consents.outcome(view, approval_id, user)
            for approval_id, outcome in action_outcomes.items()
        ]
        if "denied" in outcomes:
            return _Refused(
                plan, errors.AccessDenied("The user denied the request on their device.")
            )
        if "over" in outcomes:
            ended = "The request was canceled, or not answered in time."
            return _Refused(plan, errors.AccessDenied(ended))
        if waiting := outcomes.count("waiting"):
            redirect_uri = plan.request.return_to.redirect_uri
            return WaitingPage(plan.app.name, signed_in.user.name, waiting, redirect_uri)
        if not all(self._is_covered(view, consent, signed_in) for consent in plan.consents_to_sign):
            return _Refused(plan, errors.AccessDenied("The consent was revoked."))
        signed_actions = (action for action, outcome in action_outcomes.items() if outcome)
        return _Ready(plan, signed_in, next(signed_actions, None))

    def _end(self, tx: Unit, flow: Flow, last_step: _Step) -> Step:
        """Respond to the app, once."""
        if not isinstance(last_step, _Ready | _Refused):
            return last_step  # the user was signed out
        if not tx.flows.finish(flow.hash, tx.now):
            raise errors.InvalidRequest(_FLOW_ENDED)
        return_to = last_step.plan.request.return_to
        if isinstance(last_step, _Refused):
            _withdraw_approvals(tx, flow)
            by, cause = audit.by_client(last_step.plan.app.id), last_step.error.code
            entry = _entry(
                audit.Type.GRANT_REFUSED, by, last_step.plan, decision="refused", cause=cause
            )
            floods.record_refusal(tx, entry)
            return self.requests.refusal(return_to, last_step.error)
        if flow.allowed_at is not None:
            self._store_consents(tx, last_step)
        code = self.secrets.new_secret(PREFIX_CODE)
        grant = _grant(last_step)
        challenge = last_step.plan.request.challenge
        tx.code_grants.add_code(
            AuthorizationCode(handle_hash(code), grant, challenge, tx.now + CODE_MS)
        )
        tx.audit.add(
            _entry(
                audit.Type.GRANT_GIVEN,
                audit.by_user(grant.user_id),
                last_step.plan,
                subject=grant.user_id,
                decision="given",
                approval_id=last_step.approval_id,
            )
        )
        issuer = self.requests.server_policy.issuer
        return AuthorizationResponse(return_to, authorize.answer(issuer, return_to, {"code": code}))

    def _store_consents(self, tx: Unit, ready: _Ready) -> None:
        """Store the consent for scopes about the person, which the page grants without a device."""
        user = ready.signed_in.user.id
        for consent in ready.plan.consents:
            if consent not in ready.plan.consents_to_sign:
                self.consents.save_identity_consent(tx, user, consent.client_id, consent.scopes)


def _lock_flow(tx: Unit, handle: str) -> None:
    """Serialize the answers to a flow, so that each one sees the result of the previous one."""
    tx.lock(f"flow {handle_hash(handle).hex()}")


def _open_flow(view: View, handle: str) -> Flow:
    flow = view.flows.get(handle_hash(handle))
    if flow is None or flow.done_at is not None or view.now >= flow.expires_at:
        raise errors.InvalidRequest(_FLOW_ENDED)
    return flow


def _withdraw_approvals(tx: Unit, flow: Flow) -> None:
    """Withdraw pending approvals, which would no longer have an effect."""
    approvals = [
        approval
        for approval_id in flow.approvals
        if (approval := tx.approvals.get(approval_id)) is not None
    ]
    withdraw(tx, approvals, reason="cancelled", actor=audit.SYSTEM)


def _requested_consent(
    plan: AuthorizationPlan, consent: ConsentNeeded, signed_in: SignedIn, peer: str
) -> RequestedConsent:
    return RequestedConsent(
        user=signed_in.user,
        client_id=consent.client_id,
        app_id=plan.app.id,
        resource=consent.resource,
        scopes=consent.scopes,
        until=None,
        peer=peer,
    )


def _grant(ready: _Ready) -> Grant:
    plan, request = ready.plan, ready.plan.request
    return Grant(
        app_id=plan.app.id,
        user_id=ready.signed_in.user.id,
        sign_in_id=ready.signed_in.sign_in.id,
        redirect_uri=request.return_to.redirect_uri,
        openid=request.openid,
        resource=plan.resource,
        scope=request.scope,
        actor=request.actor,
        nonce=request.nonce,
        auth_time=ready.signed_in.sign_in.auth_time,
        acr=ready.signed_in.sign_in.acr,
        device_id=ready.signed_in.sign_in.device_id,
        id_token_claims=request.claims_request.id_token,
        userinfo_claims=request.claims_request.userinfo,
        jkt=request.jkt,
        approval_id=ready.approval_id,
    )


def _entry(kind: audit.Type, actor: str, plan: AuthorizationPlan, **members: str | None) -> Entry:
    scope = " ".join((*plan.request.openid, *plan.request.scope))
    return Entry(
        type=kind,
        actor=actor,
        agent_id=plan.request.actor,
        resource=plan.resource or None,
        facts={"app": plan.app.id, "scope": scope},
        **members,
    )
