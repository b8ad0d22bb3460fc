"""Groups of approvers as JSON."""

from collections.abc import Mapping

from pydantic import BaseModel, Field

from server.http.wire import Listed, Named, Names, StrictBody, Text
from server.model.approvers import Group
from server.services.clients import power
from server.services.policy.displays import rfc3339


class NewGroup(StrictBody):
    """A group to create; members by name, address or id."""

    name: Text
    members: Names = Field(default=[])


class GroupChange(StrictBody):
    """The changes; omitted members stay. `members` is the new list."""

    name: Text | None = None
    members: Names | None = None


class ManagedGroup(BaseModel):
    """A group."""

    id: str
    name: str
    members: list[Named]
    created_at: str
    version: str


class ManagedGroups(Listed[ManagedGroup]):
    """A page of the list of groups."""


def document(record: Group, called: Mapping[str, str]) -> ManagedGroup:
    """A group as JSON; `called` has the names of users by id."""
    return ManagedGroup(
        id=record.id,
        name=record.name,
        members=[Named(id=one, name=called.get(one, one)) for one in record.members],
        created_at=rfc3339(record.created_at),
        version=power.version(record),
    )
