"""Endpoints of groups of approvers."""

from typing import Final

from server.http import listing
from server.http.approvers import group_wire as wire
from server.http.members import written
from server.http.route import HttpRequest, managed
from server.http.site import Site
from server.model.approvers import Group
from server.services import paging
from server.services.approvers.group_members import GROUP_MEMBERS
from server.services.approvers.groups import GroupChanges
from server.services.operations.administration import AdminServices


@managed("GET /api/groups", query=listing.QUERY)
def listed(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedGroups:
    """List groups by name."""
    where, limit = listing.cursor(request), listing.limit(request)
    part = paging.after(admin.groups.all(), lambda group: group.name.casefold(), where, limit)
    return listing.page(wire.ManagedGroups, part, lambda group: _document(admin, group))


@managed("POST /api/groups", status=201, signed=True)
def add(
    _site: Site, _request: HttpRequest, admin: AdminServices, body: wire.NewGroup
) -> wire.ManagedGroup:
    """Create a group."""
    return _document(admin, admin.groups.add(**written(GROUP_MEMBERS, body), by=admin.by))


@managed("GET /api/groups/<id>")
def show(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedGroup:
    """Get one group."""
    return _document(admin, admin.groups.show(request.params["id"]))


@managed("PATCH /api/groups/<id>", versioned=True)
def update(
    _site: Site, request: HttpRequest, admin: AdminServices, body: wire.GroupChange
) -> wire.ManagedGroup:
    """Change a group. Adding a member needs a signature."""
    changes = GroupChanges(**written(GROUP_MEMBERS, body))
    return _document(admin, admin.groups.update(request.params["id"], changes, by=admin.by))


@managed("DELETE /api/groups/<id>")
def delete(_site: Site, request: HttpRequest, admin: AdminServices) -> None:
    """Delete a group that neither policy nor an agent names."""
    admin.groups.delete(request.params["id"], by=admin.by)


def _document(admin: AdminServices, group: Group) -> wire.ManagedGroup:
    return wire.document(group, admin.names(group.members))


GROUP_ROUTES: Final = (listed, add, show, update, delete)
