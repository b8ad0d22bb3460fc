"""Endpoints for groups of approvers."""

from server.http import listing, members
from server.http.members import (
    answer_fields,
    change_fields,
    new_fields,
    submitted_members,
    with_fields,
)
from server.http.route import HttpRequest, managed
from server.http.wire import Listed, RecordResponse, StrictBody, Time
from server.model.approvers import Group
from server.services import paging
from server.services.approvers.group_members import GROUP_MEMBERS
from server.services.approvers.groups import GroupChanges
from server.services.operations import power
from server.services.operations.administration import AdminServices


@with_fields(new_fields(GROUP_MEMBERS))
class NewGroup(StrictBody):
    """A group to create. List members by name, email address or ID."""


@with_fields(change_fields(GROUP_MEMBERS))
class GroupChange(StrictBody):
    """The fields to change. Omitted fields keep their value. `members` replaces the list."""


@with_fields(answer_fields(GROUP_MEMBERS))
class ManagedGroup(RecordResponse):
    """A group of approvers."""

    id: str
    created_at: Time
    version: str


class ManagedGroups(Listed[ManagedGroup]):
    """A page of the list of groups."""


@managed("GET /api/groups", query=listing.QUERY)
def list_groups(request: HttpRequest, admin: AdminServices) -> ManagedGroups:
    """List groups by name."""
    after_position, limit = listing.cursor(request), listing.limit(request)
    part = paging.page_after(
        admin.groups.all(), lambda group: group.name.casefold(), after_position, limit
    )
    return listing.page(ManagedGroups, part, lambda group: document(admin, group))


@managed("POST /api/groups", status=201, signed=True)
def add(admin: AdminServices, body: NewGroup) -> ManagedGroup:
    """Create a group."""
    return document(admin, admin.groups.add(**submitted_members(GROUP_MEMBERS, body), by=admin.by))


@managed("GET /api/groups/<id>")
def show(admin: AdminServices, record_id: str) -> ManagedGroup:
    """Get one group."""
    return document(admin, admin.groups.show(record_id))


@managed("PATCH /api/groups/<id>", versioned=True)
def update(admin: AdminServices, record_id: str, body: GroupChange) -> ManagedGroup:
    """Change a group. Adding a member needs a signature."""
    changes = GroupChanges(**submitted_members(GROUP_MEMBERS, body))
    return document(admin, admin.groups.update(record_id, changes, by=admin.by))


@managed("DELETE /api/groups/<id>")
def delete(admin: AdminServices, record_id: str) -> None:
    """Delete a group. The policy and agents must not refer to it."""
    admin.groups.delete(record_id, by=admin.by)


def document(admin: AdminServices, group: Group) -> ManagedGroup:
    """Return a group as JSON."""
    return ManagedGroup.of(
        group,
        version=power.version(group),
        **members.response_members(GROUP_MEMBERS, group, admin.names(group.members)),
    )
