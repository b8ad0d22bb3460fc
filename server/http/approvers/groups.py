"""Endpoints of groups of approvers."""

from typing import Final

from pydantic import BaseModel

from server.http import listing, members
from server.http.members import answer_fields, change_fields, new_fields, with_fields, written
from server.http.route import HttpRequest, managed
from server.http.site import Site
from server.http.wire import Listed, StrictBody
from server.model.approvers import Group
from server.services import paging
from server.services.approvers.group_members import GROUP_MEMBERS
from server.services.approvers.groups import GroupChanges
from server.services.operations import power
from server.services.operations.administration import AdminServices
from server.services.policy.displays import rfc3339


@with_fields(new_fields(GROUP_MEMBERS))
class NewGroup(StrictBody):
    """A group to create. List members by name, email address or ID."""


@with_fields(change_fields(GROUP_MEMBERS))
class GroupChange(StrictBody):
    """The fields to change. Omitted fields keep their value. `members` replaces the list."""


@with_fields(answer_fields(GROUP_MEMBERS))
class ManagedGroup(BaseModel):
    """A group of approvers."""

    id: str
    created_at: str
    version: str


class ManagedGroups(Listed[ManagedGroup]):
    """A page of the list of groups."""


@managed("GET /api/groups", query=listing.QUERY)
def list_groups(_site: Site, request: HttpRequest, admin: AdminServices) -> ManagedGroups:
    """List groups by name."""
    after_position, limit = listing.cursor(request), listing.limit(request)
    part = paging.page_after(
        admin.groups.all(), lambda group: group.name.casefold(), after_position, limit
    )
    return listing.page(ManagedGroups, part, lambda group: _document(admin, group))


@managed("POST /api/groups", status=201, signed=True)
def add(_site: Site, _request: HttpRequest, admin: AdminServices, body: NewGroup) -> ManagedGroup:
    """Create a group."""
    return _document(admin, admin.groups.add(**written(GROUP_MEMBERS, body), by=admin.by))


@managed("GET /api/groups/<id>")
def show(_site: Site, request: HttpRequest, admin: AdminServices) -> ManagedGroup:
    """Get one group."""
    return _document(admin, admin.groups.show(request.params["id"]))


@managed("PATCH /api/groups/<id>", versioned=True)
def update(
    _site: Site, request: HttpRequest, admin: AdminServices, body: GroupChange
) -> ManagedGroup:
    """Change a group. Adding a member needs a signature."""
    changes = GroupChanges(**written(GROUP_MEMBERS, body))
    return _document(admin, admin.groups.update(request.params["id"], changes, by=admin.by))


@managed("DELETE /api/groups/<id>")
def delete(_site: Site, request: HttpRequest, admin: AdminServices) -> None:
    """Delete a group. The policy and agents must not refer to it."""
    admin.groups.delete(request.params["id"], by=admin.by)


def _document(admin: AdminServices, group: Group) -> ManagedGroup:
    return ManagedGroup(
        id=group.id,
        created_at=rfc3339(group.created_at),
        version=power.version(group),
        **members.response_members(GROUP_MEMBERS, group, admin.names(group.members)),
    )


GROUP_ROUTES: Final = (list_groups, add, show, update, delete)
