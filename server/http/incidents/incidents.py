"""Endpoints of reports and incidents."""

from typing import Final

from server.http import listing
from server.http.incidents import incident_wire as wire
from server.http.route import HttpRequest, managed, own
from server.http.site import Site
from server.protocol import errors
from server.services import paging
from server.services.operations.administration import AdminServices
from server.services.operations.authority import Role
from server.services.users.device_auth import Person


def report(
    site: Site, request: HttpRequest, person: Person, body: wire.SignedReport
) -> wire.ReportResponse:
    """POST /api/approvals/<id>/report."""
    done = site.incidents.reports.report(person, request.params["id"], body.record())
    named = site.incidents.incidents.show(done.incident.id)
    return wire.report_response(done, named)


def listed(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.Incidents:
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
    return listing.page(wire.Incidents, part, wire.incident)


def show(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.Incident:
    """GET /api/incidents/<id>."""
    named = admin.incidents.show(request.params["id"], owner=admin.only_of)
    return wire.incident(named)


def close(
    _site: Site, request: HttpRequest, admin: AdminServices, body: wire.IncidentClosing
) -> wire.Incident:
    """POST /api/incidents/<id>/close."""
    named = admin.incidents.close(request.params["id"], body.note, by=admin.by)
    return wire.incident(named)


_SEE = (Role.ADMIN, Role.AUDITOR, Role.OWNER)

REPORT_ROUTES: Final = (
    own(
        "POST /api/approvals/<id>/report",
        report,
        "Report a request: deny it and quarantine the agent, or all that act for you.",
        errors=(404, 422),
    ),
)

INCIDENT_ROUTES: Final = (
    managed(
        "GET /api/incidents",
        listed,
        "List open incidents, newest first.",
        query=("closed", *listing.QUERY),
        roles=_SEE,
        errors=(401, 403, 422),
    ),
    managed(
        "GET /api/incidents/<id>",
        show,
        "Get one incident with its evidence.",
        roles=_SEE,
        errors=(401, 403, 404),
    ),
    managed(
        "POST /api/incidents/<id>/close",
        close,
        "Close an incident. Quarantined agents stay quarantined.",
        signed=True,
    ),
)
