"""Endpoints for issued tokens: a person's own, and all of them for administrators."""

from collections.abc import Sequence

from server.http import listing
from server.http.route import HttpRequest, managed, own
from server.http.site import Site
from server.http.tokens import delegation_wire as wire
from server.model.tokens import NamedDelegation
from server.services import paging
from server.services.operations.administration import AdminServices
from server.services.users.device_auth import Person


@managed(
    "GET /api/admin/delegations", query=("client", "user", "resource", "ended", *listing.QUERY)
)
def list_delegations(
    site: Site, request: HttpRequest, admin: AdminServices
) -> wire.ManagedDelegations:
    """List issued tokens, newest first."""
    limit = listing.limit(request)
    delegations = admin.delegations.search(
        client=request.query.get("client"),
        user=request.query.get("user"),
        resource=request.query.get("resource"),
        ended=listing.flag(request, "ended"),
        limit=limit + 1,
        before=listing.timestamp_cursor(request),
    )
    return _page(site, delegations, limit)


@own("GET /api/delegations", query=("ended", *listing.QUERY), errors=(422,))
def mine(site: Site, request: HttpRequest, person: Person) -> wire.ManagedDelegations:
    """List the tokens that act for you, newest first."""
    limit = listing.limit(request)
    delegations = site.tokens.delegations.search(
        user=person.user.id,
        ended=listing.flag(request, "ended"),
        limit=limit + 1,
        before=listing.timestamp_cursor(request),
    )
    return _page(site, delegations, limit)


@own("DELETE /api/delegations/<id>", errors=(404,))
def revoke_mine(site: Site, person: Person, record_id: str) -> wire.RevokedDelegation:
    """Revoke a token that acts for you and the tokens derived from it."""
    delegation, count = site.tokens.delegations.revoke_mine(person, record_id)
    return _revocation(site, delegation, count)


@managed("GET /api/admin/delegations/<id>")
def show(site: Site, admin: AdminServices, record_id: str) -> wire.DelegationChain:
    """Get one token with its ancestors and descendants."""
    chain, now = admin.delegations.show(record_id), site.clock.now()
    return wire.DelegationChain(
        delegation=wire.delegation(chain.delegation, now),
        before=[wire.delegation(named_delegation, now) for named_delegation in chain.ancestors],
        after=[wire.delegation(delegation, now) for delegation in chain.descendants],
    )


@managed("POST /api/admin/delegations/<id>/revoke")
def revoke(site: Site, admin: AdminServices, record_id: str) -> wire.RevokedDelegation:
    """Revoke a token and the tokens derived from it."""
    delegation, count = admin.delegations.revoke(record_id, by=admin.by)
    return _revocation(site, delegation, count)


def _revocation(
    site: Site, named_delegation: NamedDelegation, count: int
) -> wire.RevokedDelegation:
    delegation = wire.delegation(named_delegation, site.clock.now())
    return wire.RevokedDelegation(delegation=delegation, tokens_revoked=count)


def _page(
    site: Site, delegations: Sequence[NamedDelegation], limit: int
) -> wire.ManagedDelegations:
    now = site.clock.now()
    part = paging.part(delegations, limit, lambda h: f"{h.delegation.issued_at}.{h.delegation.id}")
    return listing.page(
        wire.ManagedDelegations, part, lambda delegation: wire.delegation(delegation, now)
    )
