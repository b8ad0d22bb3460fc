"""Endpoint of agents that need an owner or a review."""

from server.http import listing
from server.http.incidents import orphan_wire as wire
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.services.operations.administration import AdminServices


def listed(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/admin/orphans: of all agents, or of the caller's own."""
    where, limit = listing.cursor(request), listing.limit(request)
    part = admin.orphans.page(where, limit, owner=admin.only_of)
    items = [wire.orphan(one) for one in part.items]
    answer = wire.Orphans(items=items, next=listing.write_cursor(part.next))
    return as_json(200, answer.model_dump())
