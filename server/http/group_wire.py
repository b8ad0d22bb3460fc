"""Groups of approvers in the administration API: what is sent and answered."""

from collections.abc import Mapping

from pydantic import BaseModel, Field

from server.http.admin_bodies import Body, Names, Text
from server.http.wire import Named
from server.services import power
from server.services.displays import rfc3339
from server.services.records import Group


class NewGroup(Body):
    """A group to be made; members by name, address or id."""

    name: Text
    members: Names = Field(default=[])


class GroupChange(Body):
    """What becomes different; what is left out stays. `members` are all of them."""

    name: Text | None = None
    members: Names | None = None


class ManagedGroup(BaseModel):
    """A group."""

    id: str
    name: str
    members: list[Named]
    created_at: str
    version: str


class ManagedGroups(BaseModel):
    """A part of the list of groups."""

    items: list[ManagedGroup]
    next: str | None


def document(record: Group, called: Mapping[str, str]) -> ManagedGroup:
    """A group as JSON; `called` are the names of people by their ids."""
    return ManagedGroup(
        id=record.id,
        name=record.name,
        members=[Named(id=one, name=called.get(one, one)) for one in record.members],
        created_at=rfc3339(record.created_at),
        version=power.version(record),
    )
