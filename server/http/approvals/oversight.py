"""Endpoints of the administration of all users' requests."""

from server.http import listing
from server.http.approvals import oversight_wire
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.http.wire import read
from server.protocol import errors
from server.protocol.approvals.states import State
from server.services import paging
from server.services.operations.administration import AdminServices


def approvals(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/admin/approvals."""
    limit = listing.limit(request)
    found = admin.oversight.approvals(
        state=_state(request.query.get("state")),
        agent=request.query.get("agent"),
        user=request.query.get("user"),
        limit=limit + 1,
        before=listing.moment_cursor(request),
    )
    part = paging.part(found, limit, lambda s: f"{s.approval.created_at}.{s.approval.id}")
    items = [oversight_wire.approval(seen) for seen in part.items]
    answer = oversight_wire.ManagedApprovals(items=items, next=listing.write_cursor(part.next))
    return as_json(200, answer.model_dump())


def approval(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/admin/approvals/<id>."""
    seen = admin.oversight.approval(request.params["id"])
    return as_json(200, oversight_wire.approval_sheet(seen).model_dump())


def cancel(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/admin/approvals/<id>/cancel."""
    body = read(oversight_wire.Cancellation, request.body)
    seen = admin.oversight.cancel(request.params["id"], body.reason, by=admin.by)
    return as_json(200, oversight_wire.approval(seen).model_dump())


def escalate(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/admin/approvals/<id>/escalate."""
    body = read(oversight_wire.Escalation, request.body)
    seen = admin.backup_requests.ask(request.params["id"], body.to, by=admin.by)
    return as_json(200, oversight_wire.approval(seen).model_dump())


def _state(text: str | None) -> State | None:
    if text is None:
        return None
    try:
        return State(text)
    except ValueError as error:
        words = ", ".join(State)
        raise errors.Problem(422, "invalid_body", f"state must be one of {words}.") from error
