"""The rows of interactive clients of people."""

from typing import Final

from server.http import admin_bodies as bodies
from server.http import listing
from server.http.clients import app_wire as wire
from server.http.clients import apps
from server.http.route import Caller, Route
from server.services.operations.authority import AccessRule, Role

_PERSON = Caller.PERSON
_ADMIN = (Role.ADMIN,)
_STAFF = (Role.ADMIN, Role.AUDITOR)

_READS = (401, 403, 404, 422)
_CHANGES = (401, 403, 404, 409, 422)

APP_ROUTES: Final = (
    Route(
        "GET",
        "/api/apps",
        apps.listed,
        _PERSON,
        "List apps by name.",
        query=listing.QUERY,
        answer=wire.ManagedApps,
        errors=_READS,
        rule=AccessRule(_STAFF),
    ),
    Route(
        "POST",
        "/api/apps",
        apps.add,
        _PERSON,
        "Register an app. Its secret is shown once.",
        body=wire.NewClient,
        answer=wire.GivenAppSecret,
        status=201,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN, signed=True),
    ),
    Route(
        "GET",
        "/api/apps/<id>",
        apps.show,
        _PERSON,
        "Get one app.",
        answer=wire.ManagedApp,
        errors=_READS,
        rule=AccessRule(_STAFF, "app"),
    ),
    Route(
        "PATCH",
        "/api/apps/<id>",
        apps.update,
        _PERSON,
        "Change, disable or enable an app.",
        body=wire.ClientChanges,
        answer=wire.ManagedApp,
        errors=(*_CHANGES, 412, 428),
        rule=AccessRule(_ADMIN, "app", versioned=True),
    ),
    Route(
        "POST",
        "/api/apps/<id>/secret",
        apps.rotate,
        _PERSON,
        "Create a new secret, shown once. The old one works for the overlap.",
        body=bodies.Rotation,
        answer=wire.GivenAppSecret,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN, "app"),
    ),
    Route(
        "DELETE",
        "/api/apps/<id>",
        apps.delete,
        _PERSON,
        "Delete an app.",
        status=204,
        errors=_CHANGES,
        rule=AccessRule(_ADMIN, "app"),
    ),
)
