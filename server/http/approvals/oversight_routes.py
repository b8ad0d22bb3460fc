"""Routes of the administration of all users' requests."""

from typing import Final

from server.http import listing
from server.http.approvals import oversight
from server.http.route import managed

OVERSIGHT_ROUTES: Final = (
    managed(
        "GET /api/admin/approvals",
        oversight.approvals,
        "List the requests of all users, newest first.",
        query=("state", "agent", "user", *listing.QUERY),
    ),
    managed(
        "GET /api/admin/approvals/<id>",
        oversight.approval,
        "Get one request with its texts, answers and entries.",
    ),
    managed("POST /api/admin/approvals/<id>/cancel", oversight.cancel, "Cancel an open request."),
    managed(
        "POST /api/admin/approvals/<id>/escalate",
        oversight.escalate,
        "Ask one more person about a pending request.",
        signed=True,
    ),
)
