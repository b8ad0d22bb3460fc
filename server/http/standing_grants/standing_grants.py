"""Endpoints of standing grants, for users and for administrators."""

from typing import Final

from server.http import listing
from server.http.approvals.approval_wire import Approval, approval
from server.http.route import HttpRequest, managed, own
from server.http.site import Site
from server.http.standing_grants import standing_grant_wire as wire
from server.services import paging
from server.services.operations.administration import AdminServices
from server.services.operations.authority import Role
from server.services.users.device_auth import Person


def listed(site: Site, request: HttpRequest, person: Person) -> wire.StandingGrants:
    """GET /api/grants?ended=true|false."""
    found = site.standing_grants.mine(person, ended=listing.ended(request))
    items = [wire.grant(named, site.clock.now()) for named in found]
    return wire.StandingGrants(items=items)


def add(site: Site, request: HttpRequest, person: Person, body: wire.GrantProposal) -> Approval:
    """POST /api/grants: returns the approval to sign."""
    sent = body.record()
    opened = site.standing_grants.ask(person, sent, request.peer)
    return approval(site.approvals.decisions.show(person, opened.id))


def preview(
    site: Site, _request: HttpRequest, person: Person, body: wire.GrantProposal
) -> wire.GrantPreview:
    """POST /api/grants/preview."""
    sent = body.record()
    proposal, past = site.standing_grants.preview(person, sent)
    return wire.preview(proposal, past)


def show(site: Site, request: HttpRequest, person: Person) -> wire.StandingGrantDetails:
    """GET /api/grants/<id>."""
    named = site.standing_grants.show_mine(person, request.params["id"])
    return wire.details(named, site.clock.now())


def revoke(site: Site, request: HttpRequest, person: Person) -> wire.StandingGrant:
    """DELETE /api/grants/<id>."""
    named = site.standing_grants.revoke_mine(person, request.params["id"])
    return wire.grant(named, site.clock.now())


def all_listed(site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedGrants:
    """GET /api/admin/grants."""
    limit = listing.limit(request)
    found = admin.standing_grants.search(
        agent=request.query.get("agent"),
        user=request.query.get("user"),
        ended=listing.ended(request),
        only_of=admin.only_of,
        limit=limit + 1,
        before=listing.moment_cursor(request),
    )
    now = site.clock.now()
    part = paging.part(found, limit, lambda h: f"{h.grant.created_at}.{h.grant.id}")
    return listing.page(wire.ManagedGrants, part, lambda one: wire.managed(one, now))


def end(site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedGrant:
    """POST /api/admin/grants/<id>/revoke."""
    named = admin.standing_grants.revoke(request.params["id"], by=admin.by, only_of=admin.only_of)
    return wire.managed(named, site.clock.now())


STANDING_GRANT_ROUTES: Final = (
    own(
        "GET /api/grants",
        listed,
        "List your standing grants.",
        query=("ended",),
        errors=(422,),
    ),
    own(
        "POST /api/grants",
        add,
        "Propose a standing grant. Returns the approval to sign.",
        status=201,
        errors=(400, 404, 409, 422),
    ),
    own(
        "POST /api/grants/preview",
        preview,
        "Preview a standing grant, with the last ten requests.",
        errors=(400, 404, 422),
    ),
    own(
        "GET /api/grants/<id>",
        show,
        "Get one of your standing grants with its uses.",
        errors=(404,),
    ),
    own(
        "DELETE /api/grants/<id>",
        revoke,
        "Revoke one of your standing grants.",
        errors=(404,),
    ),
)

MANAGED_STANDING_GRANT_ROUTES: Final = (
    managed(
        "GET /api/admin/grants",
        all_listed,
        "List standing grants, newest first. Without a role, those for your agents.",
        query=("agent", "user", "ended", *listing.QUERY),
        roles=(Role.ADMIN, Role.AUDITOR, Role.OWNER),
    ),
    managed(
        "POST /api/admin/grants/<id>/revoke",
        end,
        "Revoke a standing grant. Without a role, one for your agents.",
        roles=(Role.ADMIN, Role.OWNER),
    ),
)
