"""Endpoints of consents, for users and for administrators."""

from typing import Final

from server.http import listing
from server.http.consents import consent_wire as wire
from server.http.route import HttpRequest, managed, own
from server.http.site import Site
from server.services import paging
from server.services.operations.administration import AdminServices
from server.services.users.device_auth import Person


@own("GET /api/consents", query=("ended",), errors=(422,))
def listed(site: Site, request: HttpRequest, person: Person) -> wire.Consents:
    """List your consents."""
    found = site.consents.mine(person, ended=listing.ended(request))
    items = [wire.consent(given, site.clock.now()) for given in found]
    return wire.Consents(items=items)


@own("DELETE /api/consents/<id>", errors=(404,))
def revoke(site: Site, request: HttpRequest, person: Person) -> wire.ConsentRevoked:
    """Revoke a consent and the tokens that came from it."""
    given, tokens = site.consents.revoke_mine(person, request.params["id"])
    consent = wire.consent(given, site.clock.now())
    return wire.ConsentRevoked(consent=consent, tokens_revoked=tokens)


@own("DELETE /api/acting/<id>")
def stop(site: Site, request: HttpRequest, person: Person) -> wire.AccessRevoked:
    """Revoke the access of an agent or app: your grants, consents and tokens for it end."""
    ended = site.tokens.access_revocation.revoke(person, request.params["id"])
    return wire.AccessRevoked(
        client_id=ended.client_id,
        grants_ended=ended.grants,
        consents_revoked=ended.consents,
        tokens_revoked=ended.tokens,
    )


@managed("GET /api/admin/consents", query=("client", "user", "ended", *listing.QUERY))
def all_listed(site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedConsents:
    """List the consents of all users, newest first."""
    limit = listing.limit(request)
    consents = admin.consents.search(
        client=request.query.get("client"),
        user=request.query.get("user"),
        ended=listing.ended(request),
        limit=limit + 1,
        before=listing.moment_cursor(request),
    )
    now = site.clock.now()
    part = paging.part(consents, limit, lambda g: f"{g.consent.created_at}.{g.consent.id}")
    return listing.page(wire.ManagedConsents, part, lambda one: wire.managed(one, now))


@managed("POST /api/admin/consents/<id>/revoke")
def end(site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedConsentRevoked:
    """Revoke a consent and the tokens that came from it."""
    given, tokens = admin.consents.revoke(request.params["id"], by=admin.by)
    consent = wire.managed(given, site.clock.now())
    return wire.ManagedConsentRevoked(consent=consent, tokens_revoked=tokens)


CONSENT_ROUTES: Final = (listed, revoke, stop)

MANAGED_CONSENT_ROUTES: Final = (all_listed, end)
