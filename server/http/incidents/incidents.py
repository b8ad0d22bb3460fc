"""Endpoints of reports and incidents."""

from server.http import listing
from server.http.incidents import incident_wire as wire
from server.http.route import STAFF_AND_OWNERS, HttpRequest, managed, own
from server.http.site import Site
from server.services import paging
from server.services.incidents.log_alarms import LogAlarm
from server.services.operations.administration import AdminServices
from server.services.users.device_auth import Person


@own("POST /api/approvals/<id>/report", errors=(404, 422))
def report(
    site: Site, person: Person, record_id: str, body: wire.SignedReport
) -> wire.ReportResponse:
    """Report a request: deny it, and quarantine its agent or all agents that act for you."""
    report_result = site.incidents.reports.report(person, record_id, body.record())
    incident = site.incidents.incidents.show(report_result.incident.id)
    return wire.report_response(report_result, incident)


@own("POST /api/audit/alarms", errors=(422,))
def alarm(site: Site, person: Person, body: wire.LogAlarmReport) -> wire.OpenedIncident:
    """Report that the audit log differs from the log that your device saw before."""
    incident = site.incidents.log_alarms.report(person, LogAlarm(body.kept, body.shown))
    return wire.OpenedIncident(incident=incident)


@managed(
    "GET /api/incidents",
    query=("closed", *listing.QUERY),
    roles=STAFF_AND_OWNERS,
    errors=(401, 403, 422),
)
def list_incidents(request: HttpRequest, admin: AdminServices) -> wire.Incidents:
    """List open incidents, newest first."""
    limit = listing.limit(request)
    incidents = admin.incidents.search(
        closed=listing.flag(request, "closed"),
        limit=limit + 1,
        before=listing.timestamp_cursor(request),
        owner=admin.owner_id,
    )
    part = paging.part(incidents, limit, lambda t: f"{t.incident.opened_at}.{t.incident.id}")
    return listing.page(wire.Incidents, part, wire.incident)


@managed("GET /api/incidents/<id>", roles=STAFF_AND_OWNERS, errors=(401, 403, 404))
def show(admin: AdminServices, record_id: str) -> wire.Incident:
    """Get one incident with its evidence."""
    incident = admin.incidents.show(record_id, owner=admin.owner_id)
    return wire.incident(incident)


@managed("POST /api/incidents/<id>/close", signed=True)
def close(admin: AdminServices, record_id: str, body: wire.IncidentClosing) -> wire.Incident:
    """Close an incident. Quarantined agents stay quarantined."""
    incident = admin.incidents.close(record_id, body.note, by=admin.by)
    return wire.incident(incident)
