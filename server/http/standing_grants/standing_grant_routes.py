"""Routes of standing grants, for users and for administrators."""

from typing import Final

from server.http import listing
from server.http.route import managed, own
from server.http.standing_grants import standing_grants
from server.services.operations.authority import Role

STANDING_GRANT_ROUTES: Final = (
    own(
        "GET /api/grants",
        standing_grants.listed,
        "List your standing grants.",
        query=("ended",),
        errors=(422,),
    ),
    own(
        "POST /api/grants",
        standing_grants.add,
        "Propose a standing grant. Returns the approval to sign.",
        status=201,
        errors=(400, 404, 409, 422),
    ),
    own(
        "POST /api/grants/preview",
        standing_grants.preview,
        "Preview a standing grant, with the last ten requests.",
        errors=(400, 404, 422),
    ),
    own(
        "GET /api/grants/<id>",
        standing_grants.show,
        "Get one of your standing grants with its uses.",
        errors=(404,),
    ),
    own(
        "DELETE /api/grants/<id>",
        standing_grants.revoke,
        "Revoke one of your standing grants.",
        errors=(404,),
    ),
)

MANAGED_STANDING_GRANT_ROUTES: Final = (
    managed(
        "GET /api/admin/grants",
        standing_grants.all_listed,
        "List standing grants, newest first. Without a role, those for your agents.",
        query=("agent", "user", "ended", *listing.QUERY),
        roles=(Role.ADMIN, Role.AUDITOR, Role.OWNER),
    ),
    managed(
        "POST /api/admin/grants/<id>/revoke",
        standing_grants.end,
        "Revoke a standing grant. Without a role, one for your agents.",
        roles=(Role.ADMIN, Role.OWNER),
    ),
)
