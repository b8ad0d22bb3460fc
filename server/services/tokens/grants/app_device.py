"""The device grant for apps: issues tokens once per device code (RFC 8628 3.4, 3.5)."""

import hashlib
from dataclasses import dataclass

from server.model.approvals import Approval
from server.model.audit import Entry
from server.model.clients import App
from server.model.devices import DeviceCode
from server.model.sign_in import Grant
from server.model.store import Store, Unit
from server.protocol import errors, names
from server.protocol.approvals.states import State
from server.protocol.devices import device_codes
from server.protocol.resources import scopes
from server.services.approvals.current_checks import ApprovalChecks
from server.services.audit import audit
from server.services.clients import client_auth
from server.services.devices.app_devices import AppDevices
from server.services.notifications import notices
from server.services.tokens.app_issuing import AccessTokenTerms, AppTokenIssuer
from server.services.tokens.device_polls import UNKNOWN, poll_result
from server.services.tokens.endpoint import TokenRequest
from server.services.tokens.grant_checks import check_rights, check_user
from server.services.tokens.issuing import acr_and_amr

Outcome = dict[str, object] | errors.ProtocolError


@dataclass(frozen=True, slots=True)
class AppDeviceGrant:
    """Answers the polls of an app on a device."""

    store: Store
    issuing: AppTokenIssuer
    checks: ApprovalChecks
    devices: AppDevices

    def exchange(self, app: App, request: TokenRequest) -> dict[str, object]:
        """Return the tokens. Raises errors.ProtocolError, after the poll is stored."""
        sent = hashlib.sha256(request.form.require("device_code").encode()).digest()
        with self.store.write() as tx:
            outcome = self._poll(tx, client_auth.current_app(tx, app), sent, request)
        if isinstance(outcome, errors.ProtocolError):
            raise outcome
        return outcome

    def _poll(self, tx: Unit, app: App, sent: bytes, request: TokenRequest) -> Outcome:
        """Handle one poll in a unit of work of its own.

        1. The code is known, and this app's. 2. The request matches the one that created the code.
        3. A person has approved in time. 4. Person and app are still allowed. 5. The UPDATE that
        redeems the approval succeeds, which happens once.
        """
        code = tx.device_codes.by_device_code(sent)
        if code is None or code.client_id != app.id:
            return errors.InvalidGrant(UNKNOWN)
        device_codes.check_unchanged(request.form, tuple(code.scope.split()), code.resource)
        approval = poll_result(tx, code, request.waited_ms)
        if isinstance(approval, errors.ProtocolError):
            return approval
        if self.checks.invalid_reason(tx, approval) is not None:
            return errors.InvalidGrant("The app or the person may not have this access anymore.")
        moved = tx.approvals.transition(approval, State.REDEEMED, now=tx.now)
        if moved is None:
            return errors.InvalidGrant(UNKNOWN)
        return self._issue(tx, app, moved, code, request)

    def _issue(
        self, tx: Unit, app: App, approval: Approval, code: DeviceCode, request: TokenRequest
    ) -> dict[str, object]:
        """Store the signed consents, then issue the tokens that they allow."""
        self.devices.store_consents(tx, approval, code)
        grant = _grant(tx, approval, code)
        terms = AccessTokenTerms(grant.openid, grant.resource, grant.scope)
        user = check_user(tx, grant)
        check_rights(tx, app, grant, terms, userinfo=self.issuing.server_policy.userinfo_audience)
        jkt = request.dpop_jkt
        answer, jti = self.issuing.issue(tx, app, user, grant, terms, jkt=jkt)
        if names.GRANT_REFRESH_TOKEN in app.grant_types:
            _, answer["refresh_token"] = self.issuing.new_family(tx, grant, jti, jkt=jkt)
        _record(tx, approval, grant)
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
        actor=None,
        nonce=None,
        auth_time=decision.at,
        id_token_claims=(),
        userinfo_claims=(),
        jkt=None,
        acr=acr_and_amr(decision)[0],
    )


def _record(tx: Unit, approval: Approval, grant: Grant) -> None:
    audit.record(
        tx,
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
