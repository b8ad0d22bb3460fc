"""The ledger: issued tokens across people, and those in which somebody acts for oneself."""

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


def listed(site: Site, request: HttpRequest, desk: AdminServices) -> HttpResponse:
    """GET /api/admin/delegations."""
    limit = listing.limit(request)
    found = desk.ledger.search(
        client=request.query.get("client"),
        user=request.query.get("user"),
        resource=request.query.get("resource"),
        ended=_ended(request),
        limit=limit + 1,
        before=listing.moment_cursor(request),
    )
    return _part(site, found, limit)


def mine(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/delegations."""
    limit = listing.limit(request)
    before = listing.moment_cursor(request)
    found = site.tokens.ledger.mine(person, ended=_ended(request), limit=limit + 1, before=before)
    return _part(site, found, limit)


def revoke_mine(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """DELETE /api/delegations/<id>."""
    held, count = site.tokens.ledger.revoke_mine(person, request.params["id"])
    return _revoked(site, held, count)


def show(site: Site, request: HttpRequest, desk: AdminServices) -> HttpResponse:
    """GET /api/admin/delegations/<id>."""
    chain, now = desk.ledger.show(request.params["id"]), site.clock.now()
    answer = delegation_wire.DelegationChain(
        delegation=delegation_wire.delegation(chain.held, now),
        before=[delegation_wire.delegation(held, now) for held in chain.before],
        after=[delegation_wire.delegation(held, now) for held in chain.after],
    )
    return as_json(200, answer.model_dump())


def revoke(site: Site, request: HttpRequest, desk: AdminServices) -> HttpResponse:
    """POST /api/admin/delegations/<id>/revoke."""
    held, count = desk.ledger.revoke(request.params["id"], by=desk.by)
    return _revoked(site, held, count)


def _revoked(site: Site, held: NamedDelegation, count: int) -> HttpResponse:
    delegation = delegation_wire.delegation(held, site.clock.now())
    answer = delegation_wire.RevokedDelegation(delegation=delegation, tokens_revoked=count)
    return as_json(200, answer.model_dump())


def _part(site: Site, found: Sequence[NamedDelegation], limit: int) -> HttpResponse:
    part = paging.part(found, limit, lambda h: f"{h.delegation.issued_at}.{h.delegation.id}")
    items = [delegation_wire.delegation(held, site.clock.now()) for held in part.items]
    answer = delegation_wire.ManagedDelegations(items=items, next=listing.write_cursor(part.next))
    return as_json(200, answer.model_dump())


def _ended(request: HttpRequest) -> bool:
    ended = request.query.get("ended", "false")
    if ended not in {"true", "false"}:
        raise errors.Problem(422, "invalid_body", "ended must be true or false.")
    return ended == "true"
