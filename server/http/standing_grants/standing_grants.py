"""Endpoints of standing grants, for users and for administrators."""

from server.http import listing
from server.http.approvals.approval_wire import approval
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.http.standing_grants import standing_grant_wire as wire
from server.http.wire import read
from server.services import paging
from server.services.operations.administration import AdminServices
from server.services.users.device_auth import Person


def listed(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/grants?ended=true|false."""
    found = site.standing_grants.mine(person, ended=listing.ended(request))
    items = [wire.grant(named, site.clock.now()) for named in found]
    return as_json(200, wire.StandingGrants(items=items).model_dump())


def add(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/grants: returns the approval to sign."""
    sent = read(wire.GrantProposal, request.body).record()
    opened = site.standing_grants.ask(person, sent, request.peer)
    return as_json(201, approval(site.approvals.decisions.show(person, opened.id)).model_dump())


def preview(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/grants/preview."""
    sent = read(wire.GrantProposal, request.body).record()
    proposal, past = site.standing_grants.preview(person, sent)
    return as_json(200, wire.preview(proposal, past).model_dump())


def show(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/grants/<id>."""
    named = site.standing_grants.show_mine(person, request.params["id"])
    return as_json(200, wire.sheet(named, site.clock.now()).model_dump())


def revoke(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """DELETE /api/grants/<id>."""
    named = site.standing_grants.revoke_mine(person, request.params["id"])
    return as_json(200, wire.grant(named, site.clock.now()).model_dump())


def all_listed(site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
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
    part = paging.part(found, limit, lambda h: f"{h.grant.created_at}.{h.grant.id}")
    items = [wire.managed(named, site.clock.now()) for named in part.items]
    answer = wire.ManagedGrants(items=items, next=listing.write_cursor(part.next))
    return as_json(200, answer.model_dump())


def end(site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/admin/grants/<id>/revoke."""
    named = admin.standing_grants.revoke(request.params["id"], by=admin.by, only_of=admin.only_of)
    return as_json(200, wire.managed(named, site.clock.now()).model_dump())
