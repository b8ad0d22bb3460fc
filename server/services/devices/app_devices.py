"""People's apps on devices without a browser (RFC 8628): what they ask for, and what is signed.

The person says yes on a device of theirs to the app, its scopes and the code that its device shows.
That is a consent like any other, so it is listed, runs out and is taken back like one.
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
    """Judges what an app asks for, opens its approval and keeps the consent that comes of it."""

    consents: ConsentService

    def target(self, view: View, app: App, asked: AppRequest) -> str:
        """The resource; "" when the scopes are about the person alone. Raises errors.ProtocolError.

        1. The app has this grant.  2. Scopes lie within its ceiling and need no action.  3. None is
        critical: that is asked for each time.
        """
        if names.GRANT_DEVICE_CODE not in app.grant_types:
            raise errors.UnauthorizedClient("This client may not use the device grant.")
        if not asked.scope:
            if asked.resource not in {None, self.consents.rules.userinfo_audience}:
                raise errors.InvalidTarget("A resource needs scopes of its own.")
            return ""
        target = targets.resolve(view.directory, app, asked.resource, asked.scope)
        targets.check_required_types(target, frozenset())
        if target.risk is Risk.CRITICAL:
            raise errors.InvalidScope("A critical scope is asked for each time, never ahead.")
        return target.resource.uri

    def open(
        self, tx: Unit, code: DeviceCode, user: User, shown: str, *, phantom: bool
    ) -> Approval:
        """Ask this person, or nobody. Raises errors.ProtocolError when the app may not any more."""
        offer = self._offer(tx, code, user)
        openid, _ = scopes.split(tuple(code.scope.split()))
        terms = kinds.AppDeviceTerms(code.address, shown, rfc3339(offer.until))
        resource = code.resource or self.consents.rules.userinfo_audience
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

    def keep(self, tx: Unit, approval: Approval, code: DeviceCode) -> None:
        """Write the consents as they were signed."""
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
