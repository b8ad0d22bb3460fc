"""The device code grant (RFC 8628 3.4, 3.5), for terminals and for apps, once per device code.

A terminal must prove the key with which it requested the code. The person's device signed an
approval of that key.
"""

from dataclasses import dataclass
from typing import Final

from server.model.approvals import Approval
from server.model.audit import Entry
from server.model.clients import App
from server.model.devices import DeviceCode, Session
from server.model.ports import Secrets
from server.model.sign_in import Grant
from server.model.store import Unit
from server.protocol import errors, names
from server.protocol.approvals import decisions
from server.protocol.approvals.states import State
from server.protocol.ciba import requests
from server.protocol.devices import device_codes
from server.protocol.names import handle_hash
from server.protocol.resources import scopes
from server.services.approvals.current_checks import ApprovalChecks
from server.services.approvals.expiry import expire_if_overdue
from server.services.audit import audit
from server.services.devices.device_grant import AppDevices
from server.services.devices.sessions import start_session
from server.services.notifications import notices
from server.services.tokens.app_issuing import AccessTokenTerms, AppTokenIssuer
from server.services.tokens.endpoint import TokenRequest, TokenResult
from server.services.tokens.issuing import TokenIssuer, decision_acr
from server.services.users.dpop_proofs import Proofs

UNKNOWN: Final = "device_code is unknown, used, or not yours."


def _find_code(tx: Unit, request: TokenRequest, client_id: str) -> DeviceCode | None:
    """Return the code that this client polls for."""
    code = tx.device_codes.by_device_code(handle_hash(request.form.require("device_code")))
    return code if code is not None and code.client_id == client_id else None


def _redeem(
    tx: Unit, code: DeviceCode, waited_ms: int, checks: ApprovalChecks, refusal: str
) -> Approval | errors.ProtocolError:
    """Redeem the approval once it is approved; before that, return the error for the device.

    1. An overdue approval expires. 2. While the approval is pending, the polling interval applies.
    3. If it is no longer valid, `refusal` is the error. 4. One conditional UPDATE redeems it.
    """
    approval = _poll_result(tx, code, waited_ms)
    if isinstance(approval, errors.ProtocolError):
        return approval
    if checks.invalid_reason(tx, approval) is not None:
        return errors.InvalidGrant(refusal)
    redeemed_approval = tx.approvals.transition(approval, State.REDEEMED, now=tx.now)
    return redeemed_approval or errors.InvalidGrant(UNKNOWN)


def _poll_result(tx: Unit, code: DeviceCode, waited_ms: int) -> Approval | errors.ProtocolError:
    approval = _approval(tx, code)
    if approval is None and tx.now >= code.expires_at:
        return _expired()
    if approval is None or approval.state is State.PENDING:
        return _pending(tx, code, waited_ms)
    return approval if approval.state is State.APPROVED else _final_error(tx, approval)


def _approval(tx: Unit, code: DeviceCode) -> Approval | None:
    approval = None if code.approval_id is None else tx.approvals.get(code.approval_id)
    return None if approval is None else expire_if_overdue(tx, approval)


def _pending(tx: Unit, code: DeviceCode, waited_ms: int) -> errors.ProtocolError:
    arrived = tx.now - waited_ms
    pace = requests.pace(arrived=arrived, last=code.last_poll_at, interval_ms=code.interval_ms)
    tx.device_codes.record_poll(code.id, now=arrived, interval_ms=pace.interval_ms)
    if pace.early:
        return requests.slow_down(pace, waited_ms, {})
    return errors.AuthorizationPending("This sign-in has not been approved yet.")


def _final_error(tx: Unit, approval: Approval) -> errors.ProtocolError:
    """Return the error for an approval that does not allow tokens."""
    user = tx.directory.user(approval.user_id or "")
    if approval.state is State.EXPIRED:
        return _expired()
    if approval.state is State.DENIED:
        return errors.AccessDenied("The person denied this sign-in.", members={"reason": "denied"})
    if approval.state is State.CANCELLED and user is not None and user.enabled:
        return errors.AccessDenied("The sign-in was canceled.", members={"reason": "cancelled"})
    return errors.InvalidGrant(UNKNOWN)


def _expired() -> errors.ProtocolError:
    return errors.ExpiredToken("The sign-in was not approved in time. Start again.")


@dataclass(frozen=True, slots=True)
class DeviceCodeGrant:
    """Answers the polls of a terminal that waits for approval."""

    secrets: Secrets
    proofs: Proofs
    issuing: TokenIssuer
    checks: ApprovalChecks

    def exchange(self, tx: Unit, request: TokenRequest) -> TokenResult:
        """Return the session's first tokens. Raises errors.ProtocolError.

        Rules, in order: 1. The code is known and belongs to a terminal. 2. The proof is for the key
        that requested the code. 3. A person approved the sign-in in time. 4. That person may still
        sign in. 5. The UPDATE that redeems the approval succeeds, which it does only once.
        """
        device_codes.refuse_scope(request.form)
        code = _find_code(tx, request, names.APPROVER_CLIENT)
        if code is None:
            return errors.InvalidGrant(UNKNOWN)
        jwk = self.proofs.terminal(tx, request.proofs)
        if decisions.thumbprint(jwk) != code.jkt:
            return errors.InvalidDpopProof("The device code is bound to a different key.")
        approval = _redeem(
            tx, code, request.waited_ms, self.checks, "The user can no longer sign in."
        )
        if isinstance(approval, errors.ProtocolError):
            return approval
        return self._start_session(tx, approval, code, jwk)

    def _start_session(
        self, tx: Unit, approval: Approval, code: DeviceCode, jwk: dict[str, str]
    ) -> dict[str, object]:
        session, refresh = start_session(
            tx,
            self.secrets,
            jwk,
            user_id=approval.user_id or "",
            code_id=code.id,
            admitted_as=code.name,
        )
        _record_session(tx, approval, session)
        notices.approval(tx, approval, "approval.redeemed")
        return self.issuing.for_session(tx, session, refresh)


def _record_session(tx: Unit, approval: Approval, session: Session) -> None:
    tx.audit.add(
        Entry(
            type=audit.Type.DEVICE_ADMITTED,
            actor=audit.by_user(session.user_id),
            subject=session.user_id,
            action=approval.action_digest,
            decision="redeemed",
            posture=approval.risk,
            approval_id=approval.id,
            facts={"session": session.id, "key": session.jkt, "name": session.admitted_as},
        ),
    )


@dataclass(frozen=True, slots=True)
class AppDeviceGrant:
    """Answers the polls of an app on a device."""

    issuing: AppTokenIssuer
    checks: ApprovalChecks
    devices: AppDevices

    def exchange(self, tx: Unit, app: App, request: TokenRequest) -> TokenResult:
        """Return the token response. Raises errors.ProtocolError.

        Rules, in order: 1. The code is known and belongs to this app. 2. The request matches the
        one that created the code. 3. A person approved the sign-in in time. 4. The person and the
        app may still have this access. 5. The UPDATE that redeems the approval succeeds, which it
        does only once.
        """
        code = _find_code(tx, request, app.id)
        if code is None:
            return errors.InvalidGrant(UNKNOWN)
        resource = code.resource or self.issuing.server_policy.userinfo_audience
        device_codes.check_unchanged(request.form, tuple(code.scope.split()), resource)
        refusal = "The app or the person can no longer have this access."
        approval = _redeem(tx, code, request.waited_ms, self.checks, refusal)
        if isinstance(approval, errors.ProtocolError):
            return approval
        return self._issue(tx, app, approval, code, request)

    def _issue(
        self, tx: Unit, app: App, approval: Approval, code: DeviceCode, request: TokenRequest
    ) -> dict[str, object]:
        """Store the signed consents, then issue the tokens that they allow."""
        self.devices.store_consents(tx, approval, code)
        grant = _grant(tx, approval, code)
        terms = AccessTokenTerms(grant.openid, grant.resource, grant.scope)
        jkt = request.dpop_jkt
        answer, jti = self.issuing.issue(tx, app, grant, terms, jkt=jkt)
        if names.GRANT_REFRESH_TOKEN in app.grant_types:
            _, answer["refresh_token"] = self.issuing.new_family(tx, grant, jti, jkt=jkt)
        _record_consent(tx, approval, grant)
        notices.approval(tx, approval, "approval.redeemed")
        return answer


def _grant(tx: Unit, approval: Approval, code: DeviceCode) -> Grant:
    openid, scope = scopes.split(tuple(code.scope.split()))
    decision = tx.decisions.of_approval(approval.id)[-1]
    return Grant(
        app_id=code.client_id,
        user_id=approval.user_id or "",
        sign_in_id="",
        redirect_uri="",
        openid=openid,
        resource=code.resource,
        scope=scope,
        auth_time=decision.at,
        acr=decision_acr(decision),
    )


def _record_consent(tx: Unit, approval: Approval, grant: Grant) -> None:
    tx.audit.add(
        Entry(
            type=audit.Type.GRANT_GIVEN,
            actor=audit.by_user(grant.user_id),
            subject=grant.user_id,
            resource=grant.resource or None,
            action=approval.action_digest,
            decision="given",
            posture=approval.risk,
            approval_id=approval.id,
            facts={"app": grant.app_id, "scope": " ".join((*grant.openid, *grant.scope))},
        ),
    )
