"""Endpoints of consents, for users and for administrators."""

from server.http import listing
from server.http.consents import consent_wire as wire
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.services import paging
from server.services.operations.administration import AdminServices
from server.services.users.device_auth import Person


def listed(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/consents?ended=true|false."""
    found = site.consents.mine(person, ended=listing.ended(request))
    items = [wire.consent(given, site.clock.now()) for given in found]
    return as_json(200, wire.Consents(items=items).model_dump())


def revoke(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """DELETE /api/consents/<id>."""
    given, tokens = site.consents.revoke_mine(person, request.params["id"])
    consent = wire.consent(given, site.clock.now())
    answer = wire.ConsentRevoked(consent=consent, tokens_revoked=tokens)
    return as_json(200, answer.model_dump())


def stop(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """DELETE /api/acting/<id>."""
    client_id = request.params["id"]
    ended = site.tokens.access_revocation.revoke(person, client_id)
    answer = wire.AccessRevoked(
        client_id=client_id,
        grants_ended=ended.grants,
        consents_revoked=ended.consents,
        tokens_revoked=ended.tokens,
    )
    return as_json(200, answer.model_dump())


def all_listed(site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/admin/consents."""
    limit = listing.limit(request)
    found = admin.consents.search(
        client=request.query.get("client"),
        user=request.query.get("user"),
        ended=listing.ended(request),
        limit=limit + 1,
        before=listing.moment_cursor(request),
    )
    part = paging.part(found, limit, lambda g: f"{g.consent.created_at}.{g.consent.id}")
    items = [wire.managed(given, site.clock.now()) for given in part.items]
    answer = wire.ManagedConsents(items=items, next=listing.write_cursor(part.next))
    return as_json(200, answer.model_dump())


def end(site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/admin/consents/<id>/revoke."""
    given, tokens = admin.consents.revoke(request.params["id"], by=admin.by)
    consent = wire.managed(given, site.clock.now())
    answer = wire.ManagedConsentRevoked(consent=consent, tokens_revoked=tokens)
    return as_json(200, answer.model_dump())
