"""Endpoints of consents, for users and for administrators."""

from typing import Literal

from pydantic import BaseModel

from server.http import listing
from server.http.route import HttpRequest, managed, own
from server.http.site import Site
from server.http.wire import Listed, RecordResponse, Reference, Time
from server.services import paging
from server.services.consents.consents import GivenConsent
from server.services.operations.administration import AdminServices
from server.services.users.device_auth import Person


class Consent(RecordResponse):
    """The scopes that a person allows a client to use, until an expiry time."""

    id: str
    state: Literal["live", "expired", "revoked"]
    client: Reference
    app: Reference | None
    resource: str
    scopes: list[str]
    created_at: Time
    expires_at: Time
    revoked_at: Time | None


class Consents(BaseModel):
    """The consents of a person."""

    items: list[Consent]


class ConsentRevoked(BaseModel):
    """A revoked consent, and the number of tokens revoked with it."""

    consent: Consent
    tokens_revoked: int


class AccessRevoked(BaseModel):
    """What was revoked with the access of a client."""

    client_id: str
    grants_ended: int
    consents_revoked: int
    tokens_revoked: int


class ManagedConsent(Consent):
    """A consent with its user and the approval that created it."""

    user: Reference
    approval: str | None


class ManagedConsents(Listed[ManagedConsent]):
    """A page of the list of consents, newest first."""


class ManagedConsentRevoked(BaseModel):
    """A consent that an administrator revoked, and the number of tokens revoked with it."""

    consent: ManagedConsent
    tokens_revoked: int


def _consent(given_consent: GivenConsent, now: int) -> Consent:
    """Return the wire model of a consent."""
    record = given_consent.consent
    app_name = given_consent.app_name
    return Consent.of(
        record,
        state=given_consent.state(now),
        client=Reference(id=record.client_id, name=given_consent.client_name),
        app=Reference(id=record.app_id or "", name=app_name) if app_name else None,
    )


def managed_consent(given_consent: GivenConsent, now: int) -> ManagedConsent:
    """Return the wire model of a consent for administrators."""
    record = given_consent.consent
    return ManagedConsent.of(
        _consent(given_consent, now),
        user=Reference(id=record.user_id, name=given_consent.user_name),
        approval=record.approval_id,
    )


@own("GET /api/consents", query=("ended",), errors=(422,))
def list_consents(site: Site, request: HttpRequest, person: Person) -> Consents:
    """List your consents."""
    given_consents = site.consents.mine(person, ended=listing.flag(request, "ended"))
    items = [_consent(given_consent, site.clock.now()) for given_consent in given_consents]
    return Consents(items=items)


@own("DELETE /api/consents/<id>", errors=(404,))
def revoke(site: Site, person: Person, record_id: str) -> ConsentRevoked:
    """Revoke a consent and the tokens issued under it."""
    given_consent, tokens = site.consents.revoke_mine(person, record_id)
    consent = _consent(given_consent, site.clock.now())
    return ConsentRevoked(consent=consent, tokens_revoked=tokens)


@own("DELETE /api/acting/<id>")
def revoke_access(site: Site, person: Person, record_id: str) -> AccessRevoked:
    """Revoke the access of an agent or app: your grants, consents and tokens for it are revoked."""
    revoked_access = site.tokens.access_revocation.revoke(person, record_id)
    return AccessRevoked(
        client_id=revoked_access.client_id,
        grants_ended=revoked_access.grants,
        consents_revoked=revoked_access.consents,
        tokens_revoked=revoked_access.tokens,
    )


@managed("GET /api/admin/consents", query=("client", "user", "ended", *listing.QUERY))
def list_all(site: Site, request: HttpRequest, admin: AdminServices) -> ManagedConsents:
    """List the consents of all users, newest first."""
    limit = listing.limit(request)
    consents = admin.consents.search(
        client=request.query.get("client"),
        user=request.query.get("user"),
        ended=listing.flag(request, "ended"),
        limit=limit + 1,
        before=listing.timestamp_cursor(request),
    )
    now = site.clock.now()
    part = paging.part(consents, limit, lambda g: f"{g.consent.created_at}.{g.consent.id}")
    return listing.page(
        ManagedConsents, part, lambda given_consent: managed_consent(given_consent, now)
    )


@managed("POST /api/admin/consents/<id>/revoke")
def revoke_as_admin(site: Site, admin: AdminServices, record_id: str) -> ManagedConsentRevoked:
    """Revoke a consent and the tokens issued under it."""
    given_consent, tokens = admin.consents.revoke(record_id, by=admin.by)
    consent = managed_consent(given_consent, site.clock.now())
    return ManagedConsentRevoked(consent=consent, tokens_revoked=tokens)
