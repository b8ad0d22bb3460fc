"""Endpoints for issued tokens: a person's own, and all of them for administrators."""

from collections.abc import Sequence
from typing import Final

from server.http import listing
from server.http.route import HttpRequest, managed, own
from server.http.site import Site
from server.http.tokens import delegation_wire as wire
from server.model.tokens import NamedDelegation
from server.services import paging
from server.services.operations.administration import AdminServices
from server.services.users.device_auth import Person


def listed(site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedDelegations:
    """GET /api/admin/delegations."""
    limit = listing.limit(request)
    found = admin.delegations.search(
        client=request.query.get("client"),
        user=request.query.get("user"),
        resource=request.query.get("resource"),
        ended=listing.ended(request),
        limit=limit + 1,
        before=listing.moment_cursor(request),
    )
    return _page(site, found, limit)


def mine(site: Site, request: HttpRequest, person: Person) -> wire.ManagedDelegations:
    """GET /api/delegations."""
    limit = listing.limit(request)
    before = listing.moment_cursor(request)
    found = site.tokens.delegations.mine(
        person, ended=listing.ended(request), limit=limit + 1, before=before
    )
    return _page(site, found, limit)


def revoke_mine(site: Site, request: HttpRequest, person: Person) -> wire.RevokedDelegation:
    """DELETE /api/delegations/<id>."""
    named, count = site.tokens.delegations.revoke_mine(person, request.params["id"])
    return _revoked(site, named, count)


def show(site: Site, request: HttpRequest, admin: AdminServices) -> wire.DelegationChain:
    """GET /api/admin/delegations/<id>."""
    chain, now = admin.delegations.show(request.params["id"]), site.clock.now()
    return wire.DelegationChain(
        delegation=wire.delegation(chain.delegation, now),
        before=[wire.delegation(named, now) for named in chain.ancestors],
        after=[wire.delegation(named, now) for named in chain.descendants],
    )


def revoke(site: Site, request: HttpRequest, admin: AdminServices) -> wire.RevokedDelegation:
    """POST /api/admin/delegations/<id>/revoke."""
    named, count = admin.delegations.revoke(request.params["id"], by=admin.by)
    return _revoked(site, named, count)


def _revoked(site: Site, named: NamedDelegation, count: int) -> wire.RevokedDelegation:
    delegation = wire.delegation(named, site.clock.now())
    return wire.RevokedDelegation(delegation=delegation, tokens_revoked=count)


def _page(site: Site, found: Sequence[NamedDelegation], limit: int) -> wire.ManagedDelegations:
    now = site.clock.now()
    part = paging.part(found, limit, lambda h: f"{h.delegation.issued_at}.{h.delegation.id}")
    return listing.page(wire.ManagedDelegations, part, lambda one: wire.delegation(one, now))


DELEGATION_ROUTES: Final = (
    own(
        "GET /api/delegations",
        mine,
        "List the tokens that act for you, newest first.",
        query=("ended", *listing.QUERY),
        errors=(422,),
    ),
    own(
        "DELETE /api/delegations/<id>",
        revoke_mine,
        "Revoke a token that acts for you and the tokens derived from it.",
        errors=(404,),
    ),
)

MANAGED_DELEGATION_ROUTES: Final = (
    managed(
        "GET /api/admin/delegations",
        listed,
        "List issued tokens, newest first.",
        query=("client", "user", "resource", "ended", *listing.QUERY),
    ),
    managed(
        "GET /api/admin/delegations/<id>",
        show,
        "Get one token with its ancestors and descendants.",
    ),
    managed(
        "POST /api/admin/delegations/<id>/revoke",
        revoke,
        "Revoke a token and the tokens derived from it.",
    ),
)
