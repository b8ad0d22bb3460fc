"""Routes of deputies, for users and for administrators."""

from typing import Final

from server.http.approvers import deputies
from server.http.approvers import deputy_wire as wire
from server.http.route import Caller, Route
from server.services.operations.authority import AccessRule, Role

_PERSON = Caller.PERSON

DEPUTY_ROUTES: Final = (
    Route(
        "GET",
        "/api/deputies",
        deputies.listed,
        _PERSON,
        "List your deputies, and whom you are a deputy of.",
        answer=wire.Deputies,
        errors=(401, 403),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/deputies",
        deputies.name,
        _PERSON,
        "Add a deputy for a time.",
        body=wire.NewDeputy,
        answer=wire.Deputy,
        status=201,
        errors=(401, 403, 404, 409, 422),
        browsers=True,
    ),
    Route(
        "DELETE",
        "/api/deputies/<id>",
        deputies.end,
        _PERSON,
        "End a deputy.",
        status=204,
        errors=(401, 403, 404),
        browsers=True,
    ),
)

MANAGED_DEPUTY_ROUTES: Final = (
    Route(
        "GET",
        "/api/admin/deputies",
        deputies.all_listed,
        _PERSON,
        "List deputies.",
        answer=wire.ManagedDeputies,
        errors=(401, 403),
        rule=AccessRule((Role.ADMIN, Role.AUDITOR)),
    ),
    Route(
        "POST",
        "/api/admin/deputies/<id>/revoke",
        deputies.revoke,
        _PERSON,
        "End a deputy.",
        answer=wire.Deputy,
        errors=(401, 403, 404, 409, 422),
        rule=AccessRule((Role.ADMIN,)),
    ),
)
