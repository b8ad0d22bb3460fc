"""Groups of approvers as JSON."""

from pydantic import BaseModel

from server.http import members
from server.http.members import answer_fields, change_fields, new_fields, with_fields
from server.http.wire import Listed, StrictBody
from server.model.approvers import Group
from server.services.approvers.group_members import GROUP_MEMBERS
from server.services.operations import power
from server.services.policy.displays import rfc3339


@with_fields(new_fields(GROUP_MEMBERS))
class NewGroup(StrictBody):
    """A group to create; members by name, address or id."""


@with_fields(change_fields(GROUP_MEMBERS))
class GroupChange(StrictBody):
    """The changes; omitted members stay. `members` is the new list."""


@with_fields(answer_fields(GROUP_MEMBERS))
class ManagedGroup(BaseModel):
    """A group."""

    id: str
    created_at: str
    version: str


class ManagedGroups(Listed[ManagedGroup]):
    """A page of the list of groups."""


def document(record: Group, called: members.Called) -> ManagedGroup:
    """A group as JSON; `called` has the names of users by id."""
    return ManagedGroup(
        id=record.id,
        created_at=rfc3339(record.created_at),
        version=power.version(record),
        **members.answered(GROUP_MEMBERS, record, called),
    )
