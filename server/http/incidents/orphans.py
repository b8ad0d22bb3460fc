"""Endpoint of agents that need an owner or a review."""

from server.http import listing
from server.http.incidents import orphan_wire as wire
from server.http.route import STAFF_AND_OWNERS, HttpRequest, managed
from server.http.site import Site
from server.services.operations.administration import AdminServices


@managed("GET /api/admin/orphans", query=listing.QUERY, roles=STAFF_AND_OWNERS)
def listed(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.Orphans:
    """List orphaned agents and those to review. Without a role, your own."""
    where, limit = listing.cursor(request), listing.limit(request)
    part = admin.orphans.page(where, limit, owner=admin.only_of)
    return listing.page(wire.Orphans, part, wire.orphan)
