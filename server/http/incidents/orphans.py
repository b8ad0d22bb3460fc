"""Endpoint of agents that need an owner or a review."""

from server.http import listing
from server.http.incidents import orphan_wire as wire
from server.http.route import HttpRequest
from server.http.site import Site
from server.services.operations.administration import AdminServices


def listed(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.Orphans:
    """GET /api/admin/orphans: of all agents, or of the caller's own."""
    where, limit = listing.cursor(request), listing.limit(request)
    part = admin.orphans.page(where, limit, owner=admin.only_of)
    return listing.page(wire.Orphans, part, wire.orphan)
