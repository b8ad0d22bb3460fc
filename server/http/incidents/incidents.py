"""Endpoints of reports and incidents."""

from server.http import listing
from server.http.incidents import incident_wire as wire
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.http.wire import read
from server.protocol import errors
from server.services import paging
from server.services.operations.administration import AdminServices
from server.services.users.device_auth import Person


def report(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/approvals/<id>/report."""
    body = read(wire.SignedReport, request.body)
    done = site.incidents.reports.report(person, request.params["id"], body.record())
    named = site.incidents.incidents.show(done.incident.id)
    return as_json(200, wire.report_answer(done, named).model_dump())


def listed(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/incidents?closed=true|false."""
    closed = request.query.get("closed", "false")
    if closed not in {"true", "false"}:
        raise errors.Problem(422, "invalid_body", "closed must be true or false.")
    limit = listing.limit(request)
    found = admin.incidents.search(
        closed=closed == "true",
        limit=limit + 1,
        before=listing.moment_cursor(request),
        owner=admin.only_of,
    )
    part = paging.part(found, limit, lambda t: f"{t.incident.opened_at}.{t.incident.id}")
    items = [wire.incident(named) for named in part.items]
    answer = wire.Incidents(items=items, next=listing.write_cursor(part.next))
    return as_json(200, answer.model_dump())


def show(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/incidents/<id>."""
    named = admin.incidents.show(request.params["id"], owner=admin.only_of)
    return as_json(200, wire.incident(named).model_dump())


def close(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/incidents/<id>/close."""
    body = read(wire.Closing, request.body)
    named = admin.incidents.close(request.params["id"], body.note, by=admin.by)
    return as_json(200, wire.incident(named).model_dump())
