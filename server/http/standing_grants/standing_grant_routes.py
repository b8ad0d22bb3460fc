"""Routes of standing grants, for users and for administrators."""

from typing import Final

from server.http import listing
from server.http.approvals.approval_wire import Approval
from server.http.route import Caller, Route
from server.http.standing_grants import standing_grant_wire as wire
from server.http.standing_grants import standing_grants
from server.services.operations.authority import AccessRule, Role

_PERSON = Caller.PERSON

STANDING_GRANT_ROUTES: Final = (
    Route(
        "GET",
        "/api/grants",
        standing_grants.listed,
        _PERSON,
        "List your standing grants.",
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
        "Propose a standing grant. Returns the approval to sign.",
        body=wire.GrantProposal,
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
        "Preview a standing grant, with the last ten requests.",
        body=wire.GrantProposal,
        answer=wire.GrantPreview,
        errors=(400, 401, 403, 404, 422),
        browsers=True,
    ),
    Route(
        "GET",
        "/api/grants/<id>",
        standing_grants.show,
        _PERSON,
        "Get one of your standing grants with its uses.",
        answer=wire.GrantSheet,
        errors=(401, 403, 404),
        browsers=True,
    ),
    Route(
        "DELETE",
        "/api/grants/<id>",
        standing_grants.revoke,
        _PERSON,
        "Revoke one of your standing grants.",
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
        "List standing grants, newest first. Without a role, those for your agents.",
        query=("agent", "user", "ended", *listing.QUERY),
        answer=wire.ManagedGrants,
        errors=(401, 403, 404, 422),
        rule=AccessRule((Role.ADMIN, Role.AUDITOR, Role.OWNER)),
    ),
    Route(
        "POST",
        "/api/admin/grants/<id>/revoke",
        standing_grants.end,
        _PERSON,
        "Revoke a standing grant. Without a role, one for your agents.",
        answer=wire.ManagedGrant,
        errors=(401, 403, 404, 409, 422),
        rule=AccessRule((Role.ADMIN, Role.OWNER)),
    ),
)
