"""The rows of administration that are about people: who may, what it takes, what is answered."""

from typing import Final

from server.http import admin_bodies as bodies
from server.http import admin_wire as wire
from server.http.endpoints import listing, users
from server.http.route import Caller, Route
from server.services.authority import Role, Rule

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
        "Everybody, by name.",
        query=listing.QUERY,
        answer=wire.ManagedUsers,
        errors=_READS,
        rule=Rule(_STAFF),
    ),
    Route(
        "POST",
        "/api/users",
        users.add,
        _PERSON,
        "Let somebody in, with a code for their first device.",
        body=bodies.NewUser,
        answer=wire.EnrolmentCode,
        status=201,
        errors=_CHANGES,
        rule=Rule(_ADMIN, signed=True),
    ),
    Route(
        "GET",
        "/api/users/<id>",
        users.show,
        _PERSON,
        "One user and their devices.",
        answer=wire.UserSheet,
        errors=_READS,
        rule=Rule(_STAFF, "user"),
    ),
    Route(
        "PATCH",
        "/api/users/<id>",
        users.update,
        _PERSON,
        "Change an address or roles.",
        body=bodies.UserChanges,
        answer=wire.ManagedUser,
        errors=_UPDATES,
        rule=Rule(_ADMIN, "user", versioned=True),
    ),
    Route(
        "POST",
        "/api/users/<id>/disable",
        users.disable,
        _PERSON,
        "Stop a user; answers what ended.",
        answer=wire.StoppedUser,
        errors=_CHANGES,
        rule=Rule(_ADMIN, "user"),
    ),
    Route(
        "POST",
        "/api/users/<id>/enable",
        users.enable,
        _PERSON,
        "Let a stopped user go on.",
        answer=wire.ManagedUser,
        errors=_CHANGES,
        rule=Rule(_ADMIN, "user"),
    ),
    Route(
        "POST",
        "/api/users/<id>/codes",
        users.enrol,
        _PERSON,
        "A code for one more device.",
        answer=wire.EnrolmentCode,
        status=201,
        errors=_CHANGES,
        rule=Rule(_ADMIN, "user", signed=True),
    ),
    Route(
        "POST",
        "/api/users/<id>/unlock",
        users.unlock,
        _PERSON,
        "Let a user's locked devices try again; answers them.",
        answer=wire.UserSheet,
        errors=_CHANGES,
        rule=Rule(_ADMIN, "user", signed=True),
    ),
)
