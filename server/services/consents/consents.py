"""Consents: a user lets a client use scopes at a resource until a date.

Giving a consent requires a signed approval. Revoking one requires only a session.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from server.model import display_names
from server.model.approval_requests import CreateApproval, NewApproval
from server.model.approvals import Approval
from server.model.consents import Consent, PageOutcome
from server.model.display_names import Party
from server.model.ports import Secrets
from server.model.store import Store, Unit, View
from server.model.users import User
from server.protocol import errors
from server.protocol.approvals import kinds
from server.protocol.approvals.states import State, overdue
from server.protocol.names import PREFIX_CONSENT
from server.protocol.policy.risks import Risk, highest
from server.protocol.resources import scopes
from server.services.audit import audit
from server.services.clients import client_names
from server.services.consents.displays import ConsentDisplay, consent_text
from server.services.consents.revocations import record_consent, revoke_consent
from server.services.notifications import notices, request_limits
from server.services.policy.displays import is_first_request, rfc3339
from server.services.refusals import Conflict, NotFound
from server.services.server_policy import ServerPolicy
from server.services.users import device_auth, user_checks
from server.services.users.device_auth import Person

DAY_MS: Final = 24 * 60 * 60 * 1000
DEFAULT_MS: Final = 30 * DAY_MS
MAX_MS: Final = 180 * DAY_MS
_MAX_RESULTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class RequestedConsent:
    """A consent that a page requests. `until` is in milliseconds; None means 30 days."""

    user: User
    client_id: str
    """The agent or the app itself."""
    app_id: str | None
    resource: str
    scopes: tuple[str, ...]
    until: int | None
    peer: str


@dataclass(frozen=True, slots=True)
class ConsentOffer:
    """A checked consent to request; it includes the scopes of the consent in force."""

    party: Party
    risks: Mapping[str, Risk]
    """The risk of each scope."""
    had: tuple[str, ...]
    until: int

    @property
    def risk(self) -> Risk:
        """The highest risk."""
        return highest([Risk.LOW, *self.risks.values()])


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

        Raises errors.ProtocolError: 1. the client is disabled;  2. the client may not have the
        scopes, or one is critical;  3. the expiry is invalid;  4. the user has no device;  5. a
        request limit is reached.
        """
        tx.lock(f"asked {requested_consent.user.id}")
        offer = self.offer(
            tx,
            requested_consent.user.id,
            requested_consent.client_id,
            requested_consent.resource,
            requested_consent.scopes,
            requested_consent.until,
        )
        if tx.devices.active_count(requested_consent.user.id, tx.now) == 0:
            raise errors.AccessDenied("You have no device to answer on. Enroll one first.")
        limit = request_limits.consent_refusal(
            tx, offer.party.id, requested_consent.user, self.server_policy
        )
        if limit is not None:
            raise errors.AccessDenied(limit[1], detail=limit[0])
        return self._create_approval(tx, requested_consent, offer)

    def offer(  # the members of one consent
        self,
        tx: Unit,
        user_id: str,
        client_id: str,
        resource: str,
        scopes_: tuple[str, ...],
        until: int | None = None,
    ) -> ConsentOffer:
        """Check a consent for these scopes; without a resource, it only covers the user's identity.

        Raises errors.ProtocolError as `ask` does.
        """
        party = _party(tx, client_id)
        if not resource:
            return ConsentOffer(party, {}, (), _expiry(tx, until))
        before = tx.consents.live(user_id, party.id, resource, tx.now)
        granted = () if before is None else _still_allowed(tx, party, before)
        risks = self._risks(tx, party, resource, tuple(sorted({*scopes_, *granted})))
        expires_at = max(_expiry(tx, until), before.expires_at if before and granted else 0)
        return ConsentOffer(party, risks, granted, expires_at)

    def save(self, tx: Unit, consent: Consent) -> Consent:
        """Store a consent, which replaces the one in force."""
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
                expires_at=tx.now + MAX_MS,
                revoked_at=None,
                approval_id=None,
            ),
        )

    def outcome(self, view: View, approval_id: str, user_id: str) -> PageOutcome:
        """Return the outcome of an approval that `ask` created for this user."""
        approval = view.approvals.get(approval_id)
        if approval is None or (approval.kind, approval.user_id) != ("consent", user_id):
            return "over"
        if overdue(approval.state, approval.expires_at, view.now):
            return "over"
        return _OUTCOMES.get(approval.state, "over")

    def give(self, tx: Unit, approval: Approval) -> Approval:
        """Store the consent of an approved request, which redeems the approval.

        It runs in the unit of work of the signed answer, so neither exists without the other.
        """
        redeemed = tx.approvals.transition(approval, State.REDEEMED, now=tx.now)
        if redeemed is None:
            return approval
        consent = self._consent(tx, redeemed)
        tx.lock(f"consents {consent.user_id}")
        consent = self.save(tx, consent)
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

    def _risks(self, tx: Unit, party: Party, uri: str, scope: tuple[str, ...]) -> dict[str, Risk]:
        """Return the risk of each scope. Raises errors.InvalidTarget or errors.InvalidScope."""
        openid, rest = scopes.split(scope)
        resource = tx.directory.resource(uri) if uri in party.resources else None
        if resource is None:
            raise errors.InvalidTarget(f"{party.name} cannot use this resource.")
        if not scope or any(n not in resource.scopes or not party.allows(uri, n) for n in rest):
            raise errors.InvalidScope(
                f"{party.name} cannot use all of these scopes at this resource."
            )
        risks = {name: resource.scopes[name] for name in rest} | dict.fromkeys(openid, Risk.LOW)
        if Risk.CRITICAL in risks.values():
            raise errors.InvalidScope("A critical scope cannot be part of a consent.")
        return risks

    def _create_approval(
        self, tx: Unit, requested_consent: RequestedConsent, offer: ConsentOffer
    ) -> Approval:
        party, risks = offer.party, offer.risks
        is_for_an_agent = requested_consent.app_id not in {None, party.id}
        app_name = (
            display_names.name_of(tx.directory, requested_consent.app_id or "")
            if is_for_an_agent
            else None
        )

        def display(approval_id: str, expires_at: int) -> str:
            return consent_text(
                ConsentDisplay(
                    approval_id=approval_id,
                    party=party,
                    app_name=app_name,
                    user=requested_consent.user,
                    resource=requested_consent.resource,
                    scopes=risks,
                    had=offer.had,
                    until=offer.until,
                    risk=offer.risk,
                    first_request=is_first_request(tx, party.id, requested_consent.user.id),
                    peer=requested_consent.peer,
                    asked_at=tx.now,
                    expires_at=expires_at,
                )
            )

        return self.create_approval(
            tx,
            NewApproval(
                kind="consent",
                client_id=party.id,
                user_id=requested_consent.user.id,
                phantom=False,
                resource=requested_consent.resource,
                scope=tuple(risks),
                details=[
                    kinds.consent_details(
                        kinds.ConsentTerms(rfc3339(offer.until), requested_consent.app_id)
                    )
                ],
                risk=offer.risk,
                actor=audit.by_user(requested_consent.user.id),
                peer=requested_consent.peer,
                display=display,
            ),
        )

    def _consent(self, tx: Unit, approval: Approval) -> Consent:
        """Create the consent from the signed terms."""
        terms = json.loads(approval.details)[0]
        return Consent(
            id=self.secrets.new_id(PREFIX_CONSENT),
            user_id=approval.user_id or "",
            client_id=approval.agent_id,
            app_id=terms["app"],
            resource=approval.resource,
            scopes=tuple(approval.scope.split()),
            created_at=tx.now,
            expires_at=kinds.signed_end(terms),
            revoked_at=None,
            approval_id=approval.id,
        )


_OUTCOMES: Final[dict[State, PageOutcome]] = {
    State.PENDING: "waiting",
    State.REDEEMED: "given",
    State.DENIED: "denied",
}


def _party(tx: Unit, client_id: str) -> Party:
    party = display_names.find(tx.directory, client_id, tx.now)
    if party is None:
        raise errors.UnauthorizedClient("There is no such client, or it is disabled.")
    return party


def _still_allowed(tx: Unit, party: Party, before: Consent) -> tuple[str, ...]:
    """Return a consent's scopes that the client's permissions and the risks still allow."""
    resource = tx.directory.resource(before.resource)
    current_risks = {} if resource is None else resource.scopes
    openid, rest = scopes.split(before.scopes)
    allowed = [
        name
        for name in rest
        if party.allows(before.resource, name)
        and current_risks.get(name, Risk.CRITICAL) is not Risk.CRITICAL
    ]
    return (*openid, *allowed)


def _expiry(tx: Unit, until: int | None) -> int:
    end_at = tx.now + DEFAULT_MS if until is None else until
    if not tx.now < end_at <= tx.now + MAX_MS:
        raise errors.InvalidRequest("A consent must end within 180 days.")
    return end_at


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
