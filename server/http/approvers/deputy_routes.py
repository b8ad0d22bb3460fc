"""Routes of deputies, for users and for administrators."""

from typing import Final

from server.http.approvers import deputies
from server.http.route import managed, own

DEPUTY_ROUTES: Final = (
    own("GET /api/deputies", deputies.listed, "List your deputies and those you are a deputy for."),
    own(
        "POST /api/deputies",
        deputies.name,
        "Add a deputy for a time.",
        status=201,
        errors=(404, 409, 422),
    ),
    own("DELETE /api/deputies/<id>", deputies.end, "End a deputy.", errors=(404,)),
)

MANAGED_DEPUTY_ROUTES: Final = (
    managed("GET /api/admin/deputies", deputies.all_listed, "List deputies.", errors=(401, 403)),
    managed("POST /api/admin/deputies/<id>/revoke", deputies.revoke, "End a deputy."),
)
