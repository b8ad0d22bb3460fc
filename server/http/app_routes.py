"""The rows of interactive clients of people."""

from typing import Final

from server.http import admin_bodies as bodies
from server.http import app_wire as wire
from server.http.endpoints import apps, listing
from server.http.route import Caller, Route
from server.services.authority import Role, Rule

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
        "Every app, by name.",
        query=listing.QUERY,
        answer=wire.ManagedApps,
        errors=_READS,
        rule=Rule(_STAFF),
    ),
    Route(
        "POST",
        "/api/apps",
        apps.add,
        _PERSON,
        "Register an app; its secret is told once.",
        body=wire.NewClient,
        answer=wire.GivenAppSecret,
        status=201,
        errors=_CHANGES,
        rule=Rule(_ADMIN, signed=True),
    ),
    Route(
        "GET",
        "/api/apps/<id>",
        apps.show,
        _PERSON,
        "One app.",
        answer=wire.ManagedApp,
        errors=_READS,
        rule=Rule(_STAFF, "app"),
    ),
    Route(
        "PATCH",
        "/api/apps/<id>",
        apps.update,
        _PERSON,
        "Change an app, stop it or let it go on.",
        body=wire.ClientChanges,
        answer=wire.ManagedApp,
        errors=(*_CHANGES, 412, 428),
        rule=Rule(_ADMIN, "app", versioned=True),
    ),
    Route(
        "POST",
        "/api/apps/<id>/secret",
        apps.rotate,
        _PERSON,
        "A new secret, told once; the old one works for the overlap.",
        body=bodies.Rotation,
        answer=wire.GivenAppSecret,
        errors=_CHANGES,
        rule=Rule(_ADMIN, "app"),
    ),
    Route(
        "DELETE",
        "/api/apps/<id>",
        apps.delete,
        _PERSON,
        "Forget an app.",
        status=204,
        errors=_CHANGES,
        rule=Rule(_ADMIN, "app"),
    ),
)
