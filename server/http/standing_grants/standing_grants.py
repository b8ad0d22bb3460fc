"""Endpoints of standing grants, for users and for administrators."""

from server.http import listing
from server.http.approvals.approval_wire import Approval, approval
from server.http.route import STAFF_AND_OWNERS, HttpRequest, managed, own
from server.http.site import Site
from server.http.standing_grants import standing_grant_wire as wire
from server.services import paging
from server.services.operations.administration import AdminServices
from server.services.operations.authority import Role
from server.services.users.device_auth import Person


@own("GET /api/grants", query=("ended",), errors=(422,))
def list_standing_grants(site: Site, request: HttpRequest, person: Person) -> wire.StandingGrants:
    """List your standing grants."""
    standing_grants = site.standing_grants.mine(person, ended=listing.flag(request, "ended"))
    items = [wire.grant(standing_grant, site.clock.now()) for standing_grant in standing_grants]
    return wire.StandingGrants(items=items)


@own("POST /api/grants", status=201, errors=(400, 404, 409, 422))
def add(site: Site, request: HttpRequest, person: Person, body: wire.GrantProposal) -> Approval:
    """Propose a standing grant. Returns the approval to sign."""
    submitted_proposal = body.record()
    opened = site.standing_grants.ask(person, submitted_proposal, request.peer)
    return approval(site.approvals.decisions.show(person, opened.id))


@own("POST /api/grants/preview", errors=(400, 404, 422))
def preview(site: Site, person: Person, body: wire.GrantProposal) -> wire.GrantPreview:
    """Preview a standing grant, with the last ten requests."""
    submitted_proposal = body.record()
    proposal, past = site.standing_grants.preview(person, submitted_proposal)
    return wire.preview(proposal, past)


@own("GET /api/grants/<id>", errors=(404,))
def show(site: Site, person: Person, record_id: str) -> wire.StandingGrantDetails:
    """Get one of your standing grants with its uses."""
    standing_grant = site.standing_grants.show_mine(person, record_id)
    return wire.details(standing_grant, site.clock.now())


@own("DELETE /api/grants/<id>", errors=(404,))
def revoke(site: Site, person: Person, record_id: str) -> wire.StandingGrant:
    """Revoke one of your standing grants."""
    standing_grant = site.standing_grants.revoke_mine(person, record_id)
    return wire.grant(standing_grant, site.clock.now())


@managed(
    "GET /api/admin/grants",
    query=("agent", "user", "ended", *listing.QUERY),
    roles=STAFF_AND_OWNERS,
)
def list_all(site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedGrants:
    """List standing grants, newest first. Without a role, list those for your agents."""
    limit = listing.limit(request)
    standing_grants = admin.standing_grants.search(
        agent=request.query.get("agent"),
        user=request.query.get("user"),
        ended=listing.flag(request, "ended"),
        owner_id=admin.owner_id,
        limit=limit + 1,
        before=listing.timestamp_cursor(request),
    )
    now = site.clock.now()
    part = paging.part(standing_grants, limit, lambda h: f"{h.grant.created_at}.{h.grant.id}")
    return listing.page(wire.ManagedGrants, part, lambda grant: wire.managed(grant, now))


@managed("POST /api/admin/grants/<id>/revoke", roles=(Role.ADMIN, Role.OWNER))
def end(site: Site, admin: AdminServices, record_id: str) -> wire.ManagedGrant:
    """Revoke a standing grant. Without a role, it must be for one of your agents."""
    standing_grant = admin.standing_grants.revoke(record_id, by=admin.by, owner_id=admin.owner_id)
    return wire.managed(standing_grant, site.clock.now())
