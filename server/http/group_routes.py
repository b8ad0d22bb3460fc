"""The rows of groups of approvers."""

from typing import Final

from server.http import group_wire as wire
from server.http.endpoints import groups, listing
from server.http.route import Caller, Route
from server.services.authority import Role, Rule

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
        "Every group of approvers, by name.",
        query=listing.QUERY,
        answer=wire.ManagedGroups,
        errors=_READS,
        rule=Rule(_STAFF),
    ),
    Route(
        "POST",
        "/api/groups",
        groups.add,
        _PERSON,
        "Make a group of approvers.",
        body=wire.NewGroup,
        answer=wire.ManagedGroup,
        status=201,
        errors=_CHANGES,
        rule=Rule(_ADMIN, signed=True),
    ),
    Route(
        "GET",
        "/api/groups/<id>",
        groups.show,
        _PERSON,
        "One group of approvers.",
        answer=wire.ManagedGroup,
        errors=_READS,
        rule=Rule(_STAFF, "group"),
    ),
    Route(
        "PATCH",
        "/api/groups/<id>",
        groups.update,
        _PERSON,
        "Change a group; a member more takes a signature.",
        body=wire.GroupChange,
        answer=wire.ManagedGroup,
        errors=(*_CHANGES, 412, 428),
        rule=Rule(_ADMIN, "group", versioned=True),
    ),
    Route(
        "DELETE",
        "/api/groups/<id>",
        groups.delete,
        _PERSON,
        "Forget a group that neither policy nor an agent names.",
        status=204,
        errors=_CHANGES,
        rule=Rule(_ADMIN, "group"),
    ),
)
