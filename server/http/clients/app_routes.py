"""Routes for apps."""

from typing import Final

from server.http import listing
from server.http.clients import app_wire as wire
from server.http.clients import apps
from server.http.route import ADMIN, CHANGES, READS, STAFF, Caller, Route
from server.http.wire import Rotation
from server.services.operations.authority import AccessRule

_PERSON = Caller.PERSON


APP_ROUTES: Final = (
    Route(
        "GET",
        "/api/apps",
        apps.listed,
        _PERSON,
        "List apps by name.",
        query=listing.QUERY,
        answer=wire.ManagedApps,
        errors=READS,
        rule=AccessRule(STAFF),
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
        errors=CHANGES,
        rule=AccessRule(ADMIN, signed=True),
    ),
    Route(
        "GET",
        "/api/apps/<id>",
        apps.show,
        _PERSON,
        "Get one app.",
        answer=wire.ManagedApp,
        errors=READS,
        rule=AccessRule(STAFF, "app"),
    ),
    Route(
        "PATCH",
        "/api/apps/<id>",
        apps.update,
        _PERSON,
        "Change, disable or enable an app.",
        body=wire.ClientChanges,
        answer=wire.ManagedApp,
        errors=(*CHANGES, 412, 428),
        rule=AccessRule(ADMIN, "app", versioned=True),
    ),
    Route(
        "POST",
        "/api/apps/<id>/secret",
        apps.rotate,
        _PERSON,
        "Create a new secret, shown once. The old one works for the overlap.",
        body=Rotation,
        answer=wire.GivenAppSecret,
        errors=CHANGES,
        rule=AccessRule(ADMIN, "app"),
    ),
    Route(
        "DELETE",
        "/api/apps/<id>",
        apps.delete,
        _PERSON,
        "Delete an app.",
        status=204,
        errors=CHANGES,
        rule=AccessRule(ADMIN, "app"),
    ),
)
