"""Endpoints for issued tokens: a person's own, and all of them for administrators."""

from collections.abc import Sequence

from server.http import listing
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.http.tokens import delegation_wire
from server.model.tokens import NamedDelegation
from server.protocol import errors
from server.services import paging
from server.services.operations.administration import AdminServices
from server.services.users.device_auth import Person


def listed(site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/admin/delegations."""
    limit = listing.limit(request)
    found = admin.delegations.search(
        client=request.query.get("client"),
        user=request.query.get("user"),
        resource=request.query.get("resource"),
        ended=_ended(request),
        limit=limit + 1,
        before=listing.moment_cursor(request),
    )
    return _page(site, found, limit)


def mine(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/delegations."""
    limit = listing.limit(request)
    before = listing.moment_cursor(request)
    found = site.tokens.delegations.mine(
        person, ended=_ended(request), limit=limit + 1, before=before
    )
    return _page(site, found, limit)


def revoke_mine(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """DELETE /api/delegations/<id>."""
    named, count = site.tokens.delegations.revoke_mine(person, request.params["id"])
    return _revoked(site, named, count)


def show(site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/admin/delegations/<id>."""
    chain, now = admin.delegations.show(request.params["id"]), site.clock.now()
    answer = delegation_wire.DelegationChain(
        delegation=delegation_wire.delegation(chain.delegation, now),
        before=[delegation_wire.delegation(named, now) for named in chain.ancestors],
        after=[delegation_wire.delegation(named, now) for named in chain.descendants],
    )
    return as_json(200, answer.model_dump())


def revoke(site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/admin/delegations/<id>/revoke."""
    named, count = admin.delegations.revoke(request.params["id"], by=admin.by)
    return _revoked(site, named, count)


def _revoked(site: Site, named: NamedDelegation, count: int) -> HttpResponse:
    delegation = delegation_wire.delegation(named, site.clock.now())
    answer = delegation_wire.RevokedDelegation(delegation=delegation, tokens_revoked=count)
    return as_json(200, answer.model_dump())


def _page(site: Site, found: Sequence[NamedDelegation], limit: int) -> HttpResponse:
    part = paging.part(found, limit, lambda h: f"{h.delegation.issued_at}.{h.delegation.id}")
    items = [delegation_wire.delegation(named, site.clock.now()) for named in part.items]
    answer = delegation_wire.ManagedDelegations(items=items, next=listing.write_cursor(part.next))
    return as_json(200, answer.model_dump())


def _ended(request: HttpRequest) -> bool:
    ended = request.query.get("ended", "false")
    if ended not in {"true", "false"}:
        raise errors.Problem(422, "invalid_body", "ended must be true or false.")
    return ended == "true"
