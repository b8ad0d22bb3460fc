"""Routes of groups of approvers."""

from typing import Final

from server.http import listing
from server.http.approvers import group_wire as wire
from server.http.approvers import groups
from server.http.route import ADMIN, CHANGES, READS, STAFF, Caller, Route
from server.services.operations.authority import AccessRule

_PERSON = Caller.PERSON


GROUP_ROUTES: Final = (
    Route(
        "GET",
        "/api/groups",
        groups.listed,
        _PERSON,
        "List groups by name.",
        query=listing.QUERY,
        answer=wire.ManagedGroups,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "POST",
        "/api/groups",
        groups.add,
        _PERSON,
        "Create a group.",
        body=wire.NewGroup,
        answer=wire.ManagedGroup,
        status=201,
        errors=CHANGES,
        rule=AccessRule(ADMIN, signed=True),
    ),
    Route(
        "GET",
        "/api/groups/<id>",
        groups.show,
        _PERSON,
        "Get one group.",
        answer=wire.ManagedGroup,
        errors=READS,
        rule=AccessRule(STAFF, "group"),
    ),
    Route(
        "PATCH",
        "/api/groups/<id>",
        groups.update,
        _PERSON,
        "Change a group. Adding a member needs a signature.",
        body=wire.GroupChange,
        answer=wire.ManagedGroup,
        errors=(*CHANGES, 412, 428),
        rule=AccessRule(ADMIN, "group", versioned=True),
    ),
    Route(
        "DELETE",
        "/api/groups/<id>",
        groups.delete,
        _PERSON,
        "Delete a group that neither policy nor an agent names.",
        status=204,
        errors=CHANGES,
        rule=AccessRule(ADMIN, "group"),
    ),
)
