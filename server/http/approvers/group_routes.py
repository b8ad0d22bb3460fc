"""The rows of groups of approvers."""

from typing import Final

from server.http import listing
from server.http.approvers import group_wire as wire
from server.http.approvers import groups
from server.http.route import Caller, Route
from server.services.operations.authority import AccessRule, Role

_PERSON = Caller.PERSON
_ADMIN = (Role.ADMIN,)
_STAFF = (Role.ADMIN, Role.AUDITOR)

_READS = (401, 403, 404, 422)
_CHANGES = (401, 403, 404, 409, 422)

GROUP_ROUTES: Final = (
    Route(
        "GET",
        "/api/groups",
        groups.listed,
        _PERSON,
        "List groups by name.",
        query=listing.QUERY,
        answer=wire.ManagedGroups,
        errors=_READS,
        rule=AccessRule(_STAFF),
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
        errors=_CHANGES,
        rule=AccessRule(_ADMIN, signed=True),
    ),
    Route(
        "GET",
        "/api/groups/<id>",
        groups.show,
        _PERSON,
        "Get one group.",
        answer=wire.ManagedGroup,
        errors=_READS,
        rule=AccessRule(_STAFF, "group"),
    ),
    Route(
        "PATCH",
        "/api/groups/<id>",
        groups.update,
        _PERSON,
        "Change a group. Adding a member needs a signature.",
        body=wire.GroupChange,
        answer=wire.ManagedGroup,
        errors=(*_CHANGES, 412, 428),
        rule=AccessRule(_ADMIN, "group", versioned=True),
    ),
    Route(
        "DELETE",
        "/api/groups/<id>",
        groups.delete,
        _PERSON,
        "Delete a group that neither policy nor an agent names.",
        status=204,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN, "group"),
    ),
)
