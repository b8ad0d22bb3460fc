"""The rows about standing grants: one's own, and across people."""

from typing import Final

from server.http import standing_grant_wire as wire
from server.http.endpoints import listing, standing_grants
from server.http.route import Caller, Route
from server.http.wire import Approval
from server.services.authority import Role, Rule

_PERSON = Caller.PERSON

STANDING_GRANT_ROUTES: Final = (
    Route(
        "GET",
        "/api/grants",
        standing_grants.listed,
        _PERSON,
        "What I approved ahead.",
        query=("ended",),
        answer=wire.StandingGrants,
        errors=(401, 403, 422),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/grants",
        standing_grants.add,
        _PERSON,
        "Approve requests like this one ahead; what comes is the approval that I sign.",
        body=wire.GrantWish,
        answer=Approval,
        status=201,
        errors=(400, 401, 403, 404, 409, 422),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/grants/preview",
        standing_grants.preview,
        _PERSON,
        "What that would be, and which of the last ten requests it would have covered.",
        body=wire.GrantWish,
        answer=wire.GrantPreview,
        errors=(400, 401, 403, 404, 422),
        browsers=True,
    ),
    Route(
        "GET",
        "/api/grants/<id>",
        standing_grants.show,
        _PERSON,
        "One of mine, with its uses.",
        answer=wire.GrantSheet,
        errors=(401, 403, 404),
        browsers=True,
    ),
    Route(
        "DELETE",
        "/api/grants/<id>",
        standing_grants.revoke,
        _PERSON,
        "Take one of mine back.",
        answer=wire.StandingGrant,
        errors=(401, 403, 404),
        browsers=True,
    ),
)

MANAGED_STANDING_GRANT_ROUTES: Final = (
    Route(
        "GET",
        "/api/admin/grants",
        standing_grants.all_listed,
        _PERSON,
        "What people approved ahead, newest first; for my own agents, without a role.",
        query=("agent", "user", "ended", *listing.QUERY),
        answer=wire.ManagedGrants,
        errors=(401, 403, 404, 422),
        rule=Rule((Role.ADMIN, Role.AUDITOR, Role.OWNER)),
    ),
    Route(
        "POST",
        "/api/admin/grants/<id>/revoke",
        standing_grants.end,
        _PERSON,
        "End somebody's standing grant; for my own agents, without a role.",
        answer=wire.ManagedGrant,
        errors=(401, 403, 404, 409, 422),
        rule=Rule((Role.ADMIN, Role.OWNER)),
    ),
)
