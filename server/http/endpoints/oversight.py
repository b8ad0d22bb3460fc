"""Requests and devices across people."""

from server.http import admin_bodies as bodies
from server.http import admin_documents as documents
from server.http import admin_wire as wire
from server.http.endpoints import listing
from server.http.message import NO_STORE, HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.http.wire import read
from server.protocol import errors
from server.protocol.states import State
from server.services import paging
from server.services.administration import Desk


def approvals(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """GET /api/admin/approvals."""
    limit = listing.limit(request)
    found = desk.oversight.approvals(
        state=_state(request.query.get("state")),
        agent=request.query.get("agent"),
        user=request.query.get("user"),
        limit=limit + 1,
        before=listing.moment_cursor(request),
    )
    part = paging.part(found, limit, lambda s: f"{s.approval.created_at}.{s.approval.id}")
    items = [documents.approval(seen) for seen in part.items]
    answer = wire.ManagedApprovals(items=items, next=documents.write_cursor(part.next))
    return as_json(200, answer.model_dump())


def approval(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """GET /api/admin/approvals/<id>."""
    seen = desk.oversight.approval(request.params["id"])
    return as_json(200, documents.approval_sheet(seen).model_dump())


def cancel(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """POST /api/admin/approvals/<id>/cancel."""
    body = read(bodies.Cancellation, request.body)
    seen = desk.oversight.cancel(request.params["id"], body.reason, by=desk.by)
    return as_json(200, documents.approval(seen).model_dump())


def escalate(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """POST /api/admin/approvals/<id>/escalate."""
    body = read(bodies.Escalation, request.body)
    seen = desk.reinforcements.ask(request.params["id"], body.to, by=desk.by)
    return as_json(200, documents.approval(seen).model_dump())


def devices(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """GET /api/admin/devices."""
    limit, where = listing.limit(request), listing.moment_cursor(request) or (0, "")
    found = desk.oversight.device_page(request.query.get("user"), where, limit + 1)
    part = paging.part(found, limit, lambda pair: f"{pair[0].created_at}.{pair[0].id}")
    items = [documents.device(device, user) for device, user in part.items]
    answer = wire.ManagedDevices(items=items, next=documents.write_cursor(part.next))
    return as_json(200, answer.model_dump())


def revoke_device(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """DELETE /api/admin/devices/<id>."""
    desk.oversight.revoke_device(request.params["id"], by=desk.by)
    return HttpResponse(204, headers=NO_STORE)


def _state(text: str | None) -> State | None:
    if text is None:
        return None
    try:
        return State(text)
    except ValueError as error:
        words = ", ".join(State)
        raise errors.Problem(422, "invalid_body", f"state must be one of {words}.") from error
