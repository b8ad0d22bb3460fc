"""Endpoints for administering all users' requests."""

from server.http import listing
from server.http.approvals import oversight_wire as wire
from server.http.route import HttpRequest, managed
from server.protocol import errors
from server.protocol.approvals.states import State
from server.services import paging
from server.services.operations.administration import AdminServices


@managed("GET /api/admin/approvals", query=("state", "agent", "user", *listing.QUERY))
def approvals(request: HttpRequest, admin: AdminServices) -> wire.ManagedApprovals:
    """List the requests of all users, newest first."""
    limit = listing.limit(request)
    named_approvals = admin.oversight.approvals(
        state=_state(request.query.get("state")),
        agent=request.query.get("agent"),
        user=request.query.get("user"),
        limit=limit + 1,
        before=listing.timestamp_cursor(request),
    )
    part = paging.part(named_approvals, limit, lambda s: f"{s.approval.created_at}.{s.approval.id}")
    return listing.page(wire.ManagedApprovals, part, wire.approval)


@managed("GET /api/admin/approvals/<id>")
def approval(admin: AdminServices, record_id: str) -> wire.ApprovalDetails:
    """Get one request with its texts, answers and entries."""
    named_approval = admin.oversight.approval(record_id)
    return wire.approval_details(named_approval)


@managed("POST /api/admin/approvals/<id>/cancel")
def cancel(admin: AdminServices, record_id: str, body: wire.Cancellation) -> wire.ManagedApproval:
    """Cancel an open request."""
    named_approval = admin.oversight.cancel(record_id, body.reason, by=admin.by)
    return wire.approval(named_approval)


@managed("POST /api/admin/approvals/<id>/escalate", signed=True)
def escalate(admin: AdminServices, record_id: str, body: wire.Escalation) -> wire.ManagedApproval:
    """Ask one more person about a pending request."""
    named_approval = admin.backup_requests.ask(record_id, body.to, by=admin.by)
    return wire.approval(named_approval)


def _state(text: str | None) -> State | None:
    if text is not None and text not in set(State):
        raise errors.invalid_body(f"state must be one of {', '.join(State)}.")
    return None if text is None else State(text)
