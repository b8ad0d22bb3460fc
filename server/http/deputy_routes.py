"""The rows about deputies: one's own, and across people."""

from typing import Final

from server.http import deputy_wire as wire
from server.http.endpoints import deputies
from server.http.route import Caller, Route
from server.services.authority import Role, Rule

_PERSON = Caller.PERSON

DEPUTY_ROUTES: Final = (
    Route(
        "GET",
        "/api/deputies",
        deputies.listed,
        _PERSON,
        "Who decides for me, and for whom I do.",
        answer=wire.Deputies,
        errors=(401, 403),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/deputies",
        deputies.name,
        _PERSON,
        "Let somebody decide for me between two moments.",
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
        "End a deputy of mine, or being one.",
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
        "Who decides for whom.",
        answer=wire.ManagedDeputies,
        errors=(401, 403),
        rule=Rule((Role.ADMIN, Role.AUDITOR)),
    ),
    Route(
        "POST",
        "/api/admin/deputies/<id>/revoke",
        deputies.revoke,
        _PERSON,
        "End somebody's deputy.",
        answer=wire.Deputy,
        errors=(401, 403, 404, 409, 422),
        rule=Rule((Role.ADMIN,)),
    ),
)
