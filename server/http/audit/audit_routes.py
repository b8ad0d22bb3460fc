"""Routes of the audit log."""

from typing import Final

from server.http import listing
from server.http.audit import audit, audit_wire
from server.http.route import READS, STAFF, Caller, Route
from server.services.operations.authority import AccessRule

_SEARCH = (
    *("type", "actor", "agent", "user", "resource"),
    *("approval", "correlation", "since", "until"),
)

AUDIT_ROUTES: Final = (
    Route(
        "GET",
        "/api/audit",
        audit.search,
        Caller.PERSON,
        "Search the audit log, newest first.",
        query=(*_SEARCH, *listing.QUERY),
        answer=audit_wire.LogEntries,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "GET",
        "/api/audit/<id>",
        audit.show,
        Caller.PERSON,
        "Get one audit entry.",
        answer=audit_wire.LogEntry,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
)
