"""Consents: a user lets a client use scopes at a resource until a date.

Giving a consent requires a signed approval. Revoking one requires only a session.
"""

import json
from dataclasses import dataclass, replace
from typing import Final, Literal

from server.lazy_imports import lazily
from server.model.consents import Consent, PageOutcome
from server.model.ports import Secrets
from server.model.store import Store, Unit, View
from server.protocol import errors
from server.protocol.approvals.states import State
from server.protocol.names import PREFIX_CONSENT
from server.protocol.times import rfc3339
from server.services.audit import audit
from server.services.clients import client_names
from server.services.refusals import Conflict, NotFound
from server.services.server_policy import ServerPolicy
from server.services.users import user_checks

with lazily():
    from server.model import display_names
    from server.model.approval_requests import CreateApproval, NewApproval
    from server.model.approvals import Approval
    from server.protocol.approvals import kinds
    from server.services.consents import offers
    from server.services.consents.displays import consent_display
    from server.services.consents.offers import ConsentOffer, RequestedConsent
    from server.services.consents.revocations import record_consent, revoke_consent
    from server.services.notifications import notices, request_limits
    from server.services.policy.displays import is_first_request
    from server.services.users import device_auth
    from server.services.users.device_auth import Person

_MAX_RESULTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """A consent with the names of its client, app and user."""

    consent: Consent
    client_name: str
    app_name: str | None
    """The app whose page requested it, if that is not the client itself."""
    user_name: str

    def state(self, now: int) -> Literal["live", "expired", "revoked"]:
        """Return the state at this time."""
        if self.consent.revoked_at is not None:
            return "revoked"
        return "live" if self.consent.live(now) else "expired"


@dataclass(frozen=True, slots=True)
class ConsentService:
    """Requests, stores, lists and revokes consents."""

    store: Store
    secrets: Secrets
    server_policy: ServerPolicy
    create_approval: CreateApproval

    def covering(
        self, view: View, user_id: str, client_id: str, resource: str, scope: tuple[str, ...]
    ) -> Consent | None:
        """Return the consent in force that covers all of these scopes, if any."""
        consent = view.consents.live(user_id, client_id, resource, view.now)
        return consent if consent is not None and set(scope) <= set(consent.scopes) else None

    def ask(self, tx: Unit, requested_consent: RequestedConsent) -> Approval:
        """Create the approval that the user signs on a device.

        It includes the scopes that the client may still use under the consent in force, because the
        new consent replaces that one.

        Raises the errors of `offers.check_offer`, and errors.AccessDenied if the user has no
        device or a request limit is reached.
        """
        user = requested_consent.user
        tx.lock(f"asked {user.id}")
        offer = offers.check_offer(
            tx,
            user.id,
            requested_consent.client_id,
            requested_consent.resource,
            requested_consent.scopes,
            requested_consent.until,
        )
        if tx.devices.active_count(user.id, tx.now) == 0:
            raise errors.AccessDenied("You have no device to answer on. Enroll one first.")
        limit = request_limits.page_refusal(
            tx, offer.party.id, user, "consent", [kinds.CONSENT], self.server_policy
        )
        if limit is not None:
            raise errors.AccessDenied(limit[1], detail=limit[0])
        return self._create_approval(tx, requested_consent, offer)

    def save(self, tx: Unit, consent: Consent) -> Consent:
        """Store a consent, which replaces the one in force."""
        offers.lock_consents(tx, consent.user_id)
        before = tx.consents.live(consent.user_id, consent.client_id, consent.resource, tx.now)
        if before is None:
            tx.consents.add(consent)
        else:
            consent = replace(consent, id=before.id, created_at=before.created_at)
            tx.consents.renew(consent, tx.now)
        record_consent(tx, audit.Type.CONSENT_GIVEN, consent, audit.by_user(consent.user_id))
        return consent

    def save_identity_consent(
        self, tx: Unit, user_id: str, client_id: str, openid: tuple[str, ...]
    ) -> None:
        """Store a consent for OpenID scopes, which does not need a signed approval."""
        offers.lock_consents(tx, user_id)
        resource = self.server_policy.userinfo_audience
        if self.covering(tx, user_id, client_id, resource, openid) is not None:
            return
        before = tx.consents.live(user_id, client_id, resource, tx.now)
        self.save(
            tx,
            Consent(
                id=self.secrets.new_id(PREFIX_CONSENT),
                user_id=user_id,
                client_id=client_id,
                app_id=client_id,
                resource=resource,
                scopes=tuple(sorted({*openid, *(() if before is None else before.scopes)})),
                created_at=tx.now,
                expires_at=tx.now + offers.MAX_MS,
            ),
        )

    def outcome(self, view: View, approval_id: str, user_id: str) -> PageOutcome:
        """Return the outcome of an approval that `ask` created for this user."""
        approval = view.approvals.get(approval_id)
        if approval is None or (approval.kind, approval.user_id) != ("consent", user_id):
            return "over"
        return offers.page_outcome(approval, view.now, approved_state=State.REDEEMED)

    def give(self, tx: Unit, approval: Approval) -> Approval:
        """Store the consent of an approved request, which redeems the approval.

        It runs in the unit of work of the signed answer, so neither exists without the other.
        """
        redeemed = tx.approvals.transition(approval, State.REDEEMED, now=tx.now)
        if redeemed is None:
            return approval
        consent = self.save(tx, self.signed_consent(tx, redeemed))
        notices.consent(tx, consent, "consent.given")
        return redeemed

    def mine(self, person: Person, *, ended: bool) -> list[GivenConsent]:
        """Return the person's consents, newest first; `ended` adds expired and revoked ones."""
        with self.store.read() as view:
            consents = view.consents.of_user(person.user.id, view.now, ended=ended)
            return [_with_names(view, consent) for consent in consents]

    def revoke_mine(self, person: Person, consent_id: str) -> tuple[GivenConsent, int]:
        """Revoke one of the person's consents and its tokens. Raises errors.Problem 404."""
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            consent = tx.consents.get(consent_id)
            if consent is None or consent.user_id != person.user.id:
                raise errors.Problem(404, "not_found", "Consent not found.")
            actor = audit.by_user(person.user.id)
            tokens = revoke_consent(tx, consent, actor=actor, cause="revoked") or 0
            return _with_names(tx, tx.consents.get(consent_id) or consent), tokens

    def search(
        self,
        *,
        user: str | None,
        client: str | None,
        ended: bool,
        limit: int = _MAX_RESULTS,
        before: tuple[int, str] | None = None,
    ) -> list[GivenConsent]:
        """Return all users' consents, newest first. Raises `NotFound` (unknown user or client).

        `before` is the (created_at, id) of the last consent on the previous page.
        """
        with self.store.read() as view:
            consents = view.consents.search(
                user_id=None if user is None else user_checks.find(view, user).id,
                client_id=None if client is None else client_names.find_client_id(view, client),
                live_at=None if ended else view.now,
                limit=limit,
                before=before,
            )
            return [_with_names(view, consent) for consent in consents]

    def revoke(self, consent_id: str, *, by: str) -> tuple[GivenConsent, int]:
        """Revoke any user's consent. Raises `NotFound`, or `Conflict` if it is not in force."""
        with self.store.write() as tx:
            consent = tx.consents.get(consent_id)
            if consent is None:
                raise NotFound("consent", consent_id)
            tokens = revoke_consent(tx, consent, actor=by, cause="revoked")
            if tokens is None:
                raise Conflict("This consent has already ended.")
            return _with_names(tx, tx.consents.get(consent_id) or consent), tokens

    def _create_approval(
        self, tx: Unit, requested_consent: RequestedConsent, offer: ConsentOffer
    ) -> Approval:
        app_name = (
            display_names.name_of(tx.directory, requested_consent.app_id or "")
            if requested_consent.app_id not in {None, offer.party.id}
            else None
        )
        is_first = is_first_request(tx, offer.party.id, requested_consent.user.id)
        terms = kinds.ConsentTerms(rfc3339(offer.until), requested_consent.app_id)
        return self.create_approval(
            tx,
            NewApproval(
                client_id=offer.party.id,
                scope=tuple(offer.risks),
                details=[kinds.consent_details(terms)],
                actor=audit.by_user(requested_consent.user.id),
                display=consent_display(requested_consent, offer, app_name, first_request=is_first),
            ),
        )

    def signed_consent(self, tx: Unit, approval: Approval) -> Consent:
        """Return the consent with the terms that the user signed. The caller stores it."""
        terms = json.loads(approval.details)[0]
        return Consent(
            id=self.secrets.new_id(PREFIX_CONSENT),
            user_id=approval.user_id or "",
            client_id=approval.agent_id,
            app_id=terms.get("app"),
            resource=approval.resource,
            scopes=tuple(approval.scope.split()),
            created_at=tx.now,
            expires_at=kinds.signed_end(terms),
            approval_id=approval.id,
        )


def _with_names(view: View, consent: Consent) -> GivenConsent:
    user = view.directory.user(consent.user_id)
    requesting_app = None if consent.app_id in {None, consent.client_id} else consent.app_id
    return GivenConsent(
        consent=consent,
        client_name=display_names.name_of(view.directory, consent.client_id),
        app_name=None
        if requesting_app is None
        else display_names.name_of(view.directory, requesting_app),
        user_name="" if user is None else user.name,
    )
