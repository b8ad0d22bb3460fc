"""Routes of the audit log."""

from typing import Final

from server.http import listing
from server.http.audit import audit
from server.http.route import managed

_SEARCH = (
    *("type", "actor", "agent", "user", "resource"),
    *("approval", "correlation", "since", "until"),
)

AUDIT_ROUTES: Final = (
    managed(
        "GET /api/audit",
        audit.search,
        "Search the audit log, newest first.",
        query=(*_SEARCH, *listing.QUERY),
    ),
    managed("GET /api/audit/<id>", audit.show, "Get one audit entry."),
    managed(
        "GET /api/audit/timelines/<id>",
        audit.timeline,
        "Get all entries of one request, token, entry or API call (correlation ID), oldest first.",
    ),
)
