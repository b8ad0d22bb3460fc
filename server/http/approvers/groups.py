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


def listed(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedGroups:
    """GET /api/groups."""
    where, limit = listing.cursor(request), listing.limit(request)
    part = paging.after(admin.groups.all(), lambda group: group.name.casefold(), where, limit)
    return listing.page(wire.ManagedGroups, part, lambda group: _document(admin, group))


def add(
    _site: Site, _request: HttpRequest, admin: AdminServices, body: wire.NewGroup
) -> wire.ManagedGroup:
    """POST /api/groups."""
    return _document(admin, admin.groups.add(**written(GROUP_MEMBERS, body), by=admin.by))


def show(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedGroup:
    """GET /api/groups/<id>."""
    return _document(admin, admin.groups.show(request.params["id"]))


def update(
    _site: Site, request: HttpRequest, admin: AdminServices, body: wire.GroupChange
) -> wire.ManagedGroup:
    """PATCH /api/groups/<id>."""
    changes = GroupChanges(**written(GROUP_MEMBERS, body))
    return _document(admin, admin.groups.update(request.params["id"], changes, by=admin.by))


def delete(_site: Site, request: HttpRequest, admin: AdminServices) -> None:
    """DELETE /api/groups/<id>."""
    admin.groups.delete(request.params["id"], by=admin.by)


def _document(admin: AdminServices, group: Group) -> wire.ManagedGroup:
    return wire.document(group, admin.names(group.members))


GROUP_ROUTES: Final = (
    managed("GET /api/groups", listed, "List groups by name.", query=listing.QUERY),
    managed("POST /api/groups", add, "Create a group.", status=201, signed=True),
    managed("GET /api/groups/<id>", show, "Get one group."),
    managed(
        "PATCH /api/groups/<id>",
        update,
        "Change a group. Adding a member needs a signature.",
        versioned=True,
    ),
    managed(
        "DELETE /api/groups/<id>",
        delete,
        "Delete a group that neither policy nor an agent names.",
    ),
)
