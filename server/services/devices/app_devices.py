"""Apps on devices without a browser (RFC 8628): their requests, and what is signed.

The person approves the app, its scopes and the displayed code on their own device. The result is a
consent like any other: it is listed, expires and can be revoked.
"""

import json
from dataclasses import dataclass

from server.model.approval_requests import NewApproval
from server.model.approvals import Approval
from server.model.clients import App
from server.model.consents import Consent
from server.model.devices import DeviceCode
from server.model.store import Unit, View
from server.model.users import User
from server.protocol import errors, names
from server.protocol.approvals import kinds
from server.protocol.devices.device_codes import AppRequest
from server.protocol.policy.risks import Risk, highest
from server.protocol.resources import scopes
from server.services.audit import audit
from server.services.consents.consents import ConsentOffer, ConsentService
from server.services.consents.displays import AppDeviceDisplay, app_device_text
from server.services.policy.displays import rfc3339
from server.services.resources import targets


@dataclass(frozen=True, slots=True)
class AppDevices:
    """Validates an app's request, creates its approval and stores the consent."""

    consents: ConsentService

    def target(self, view: View, app: App, asked: AppRequest) -> tuple[str, tuple[str, ...]]:
        """Return the resource and its scopes; "" if the scopes are only about the person.

        1. The app has this grant. 2. Scopes are within its permissions and need no action. 3. None
        is critical, because critical scopes need an approval each time. Raises
        errors.ProtocolError.
        """
        if names.GRANT_DEVICE_CODE not in app.grant_types:
            raise errors.UnauthorizedClient("This client may not use the device grant.")
        if asked.openid and not asked.scope:
            if asked.resource not in {None, self.consents.server_policy.userinfo_audience}:
                raise errors.InvalidTarget("A resource needs scopes of its own.")
            return "", ()
        target = targets.resolve_or_default(view.directory, app, asked.resource, asked.scope)
        targets.check_required_types(target, frozenset())
        if target.risk is Risk.CRITICAL:
            raise errors.InvalidScope("A critical scope needs an approval each time.")
        return target.resource.uri, target.scope

    def create_approval(
        self, tx: Unit, code: DeviceCode, user: User, shown: str, *, phantom: bool
    ) -> Approval:
        """Create the approval for this person or a phantom. Raises errors.ProtocolError."""
        offer = self._offer(tx, code, user)
        openid, _ = scopes.split(tuple(code.scope.split()))
        terms = kinds.AppDeviceTerms(code.address, shown, rfc3339(offer.until))
        resource = code.resource or self.consents.server_policy.userinfo_audience
        risk = highest([Risk.MEDIUM, offer.risk])

        def display(approval_id: str, expires_at: int) -> str:
            return app_device_text(
                AppDeviceDisplay(
                    approval_id=approval_id,
                    terms=terms,
                    party=offer.party,
                    user=user,
                    resource=resource,
                    openid=openid,
                    scopes=offer.risks,
                    had=offer.had,
                    until=offer.until,
                    risk=risk,
                    asked_at=tx.now,
                    expires_at=expires_at,
                )
            )

        return self.consents.create_approval(
            tx,
            NewApproval(
                kind="app_device",
                client_id=code.client_id,
                user_id=user.id,
                phantom=phantom,
                resource=resource,
                scope=(*openid, *offer.risks),
                details=[kinds.app_device_details(terms)],
                risk=risk,
                actor=audit.SYSTEM,
                peer=code.address,
                display=display,
                no_later_than=code.expires_at,
            ),
        )

    def store_consents(self, tx: Unit, approval: Approval, code: DeviceCode) -> None:
        """Store the consents as they were signed."""
        user_id = approval.user_id or ""
        openid, scope = scopes.split(tuple(approval.scope.split()))
        if openid:
            self.consents.save_identity_consent(tx, user_id, code.client_id, openid)
        if not scope:
            return
        self.consents.save(
            tx,
            Consent(
                id=self.consents.secrets.new_id(names.PREFIX_CONSENT),
                user_id=user_id,
                client_id=code.client_id,
                app_id=code.client_id,
                resource=code.resource,
                scopes=scope,
                created_at=tx.now,
                expires_at=kinds.signed_end(json.loads(approval.details)[0]),
                revoked_at=None,
                approval_id=approval.id,
            ),
        )

    def _offer(self, tx: Unit, code: DeviceCode, user: User) -> ConsentOffer:
        _, scope = scopes.split(tuple(code.scope.split()))
        return self.consents.offer(tx, user.id, code.client_id, code.resource, scope)
