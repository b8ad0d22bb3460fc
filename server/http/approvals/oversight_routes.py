"""Routes of the administration of all users' requests."""

from typing import Final

from server.http import listing
from server.http.approvals import oversight, oversight_wire
from server.http.route import ADMIN, CHANGES, READS, STAFF, Caller, Route
from server.services.operations.authority import AccessRule

OVERSIGHT_ROUTES: Final = (
    Route(
        "GET",
        "/api/admin/approvals",
        oversight.approvals,
        Caller.PERSON,
        "List the requests of all users, newest first.",
        query=("state", "agent", "user", *listing.QUERY),
        answer=oversight_wire.ManagedApprovals,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "GET",
        "/api/admin/approvals/<id>",
        oversight.approval,
        Caller.PERSON,
        "Get one request with its texts, answers and entries.",
        answer=oversight_wire.ApprovalSheet,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "POST",
        "/api/admin/approvals/<id>/cancel",
        oversight.cancel,
        Caller.PERSON,
        "Cancel an open request.",
        body=oversight_wire.Cancellation,
        answer=oversight_wire.ManagedApproval,
        errors=CHANGES,
        rule=AccessRule(ADMIN),
    ),
    Route(
        "POST",
        "/api/admin/approvals/<id>/escalate",
        oversight.escalate,
        Caller.PERSON,
        "Ask one more person about a pending request.",
        body=oversight_wire.Escalation,
        answer=oversight_wire.ManagedApproval,
        errors=CHANGES,
        rule=AccessRule(ADMIN, signed=True),
    ),
)
