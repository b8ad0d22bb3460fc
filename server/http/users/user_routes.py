"""Routes to administer users."""

from typing import Final

from server.http import listing
from server.http.route import ADMIN, CHANGES, READS, STAFF, UPDATES, Caller, Route
from server.http.users import user_wire, users
from server.services.operations.authority import AccessRule

_PERSON = Caller.PERSON


USER_ROUTES: Final = (
    Route(
        "GET",
        "/api/users",
        users.listed,
        _PERSON,
        "List users by name.",
        query=listing.QUERY,
        answer=user_wire.ManagedUsers,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "POST",
        "/api/users",
        users.add,
        _PERSON,
        "Add a user, with a code for their first device.",
        body=user_wire.NewUser,
        answer=user_wire.EnrolmentCode,
        status=201,
        errors=CHANGES,
        rule=AccessRule(ADMIN, signed=True),
    ),
    Route(
        "GET",
        "/api/users/<id>",
        users.show,
        _PERSON,
        "Get one user with their devices.",
        answer=user_wire.UserSheet,
        errors=READS,
        rule=AccessRule(STAFF, "user"),
    ),
    Route(
        "PATCH",
        "/api/users/<id>",
        users.update,
        _PERSON,
        "Change a user's address, roles or backup.",
        body=user_wire.UserChanges,
        answer=user_wire.ManagedUser,
        errors=UPDATES,
        rule=AccessRule(ADMIN, "user", versioned=True),
    ),
    Route(
        "POST",
        "/api/users/<id>/disable",
        users.disable,
        _PERSON,
        "Disable a user. Returns what ended.",
        answer=user_wire.StoppedUser,
        errors=CHANGES,
        rule=AccessRule(ADMIN, "user"),
    ),
    Route(
        "POST",
        "/api/users/<id>/enable",
        users.enable,
        _PERSON,
        "Enable a user.",
        answer=user_wire.ManagedUser,
        errors=CHANGES,
        rule=AccessRule(ADMIN, "user"),
    ),
    Route(
        "POST",
        "/api/users/<id>/codes",
        users.enrol,
        _PERSON,
        "Create a one-time code for another device.",
        answer=user_wire.EnrolmentCode,
        status=201,
        errors=CHANGES,
        rule=AccessRule(ADMIN, "user", signed=True),
    ),
    Route(
        "POST",
        "/api/users/<id>/unlock",
        users.unlock,
        _PERSON,
        "Unlock a user's devices. Returns the locked ones.",
        answer=user_wire.UserSheet,
        errors=CHANGES,
        rule=AccessRule(ADMIN, "user", signed=True),
    ),
)
