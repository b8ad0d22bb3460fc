"""The rows of administration that are about people: who may, what it takes, what is answered."""

from typing import Final

from server.http import admin_bodies as bodies
from server.http import admin_wire as wire
from server.http import listing
from server.http.route import Caller, Route
from server.http.users import users
from server.services.operations.authority import AccessRule, Role

_PERSON = Caller.PERSON
_ADMIN = (Role.ADMIN,)
_STAFF = (Role.ADMIN, Role.AUDITOR)

_READS = (401, 403, 404, 422)
_CHANGES = (401, 403, 404, 409, 422)
_UPDATES = (*_CHANGES, 412, 428)

USER_ROUTES: Final = (
    Route(
        "GET",
        "/api/users",
        users.listed,
        _PERSON,
        "List users by name.",
        query=listing.QUERY,
        answer=wire.ManagedUsers,
        errors=_READS,
        rule=AccessRule(_STAFF),
    ),
    Route(
        "POST",
        "/api/users",
        users.add,
        _PERSON,
        "Add a user, with a code for their first device.",
        body=bodies.NewUser,
        answer=wire.EnrolmentCode,
        status=201,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN, signed=True),
    ),
    Route(
        "GET",
        "/api/users/<id>",
        users.show,
        _PERSON,
        "Get one user with their devices.",
        answer=wire.UserSheet,
        errors=_READS,
        rule=AccessRule(_STAFF, "user"),
    ),
    Route(
        "PATCH",
        "/api/users/<id>",
        users.update,
        _PERSON,
        "Change a user's address, roles or backup.",
        body=bodies.UserChanges,
        answer=wire.ManagedUser,
        errors=_UPDATES,
        rule=AccessRule(_ADMIN, "user", versioned=True),
    ),
    Route(
        "POST",
        "/api/users/<id>/disable",
        users.disable,
        _PERSON,
        "Disable a user. Returns what ended.",
        answer=wire.StoppedUser,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN, "user"),
    ),
    Route(
        "POST",
        "/api/users/<id>/enable",
        users.enable,
        _PERSON,
        "Enable a user.",
        answer=wire.ManagedUser,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN, "user"),
    ),
    Route(
        "POST",
        "/api/users/<id>/codes",
        users.enrol,
        _PERSON,
        "Create a one-time code for another device.",
        answer=wire.EnrolmentCode,
        status=201,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN, "user", signed=True),
    ),
    Route(
        "POST",
        "/api/users/<id>/unlock",
        users.unlock,
        _PERSON,
        "Unlock a user's devices. Returns the locked ones.",
        answer=wire.UserSheet,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN, "user", signed=True),
    ),
)
