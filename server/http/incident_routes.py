"""The rows about reports: making one, and what comes of them."""

from typing import Final

from server.http import incident_wire as wire
from server.http.endpoints import incidents, listing
from server.http.route import Caller, Route
from server.services.authority import Role, Rule

_PERSON = Caller.PERSON
_SEE = (Role.ADMIN, Role.AUDITOR, Role.OWNER)

REPORT_ROUTES: Final = (
    Route(
        "POST",
        "/api/approvals/<id>/report",
        incidents.report,
        _PERSON,
        "I did not ask for this: deny it, and stop the agent or every one that acts for me.",
        body=wire.SignedReport,
        answer=wire.ReportAnswer,
        errors=(401, 403, 404, 422),
        browsers=True,
    ),
)

INCIDENT_ROUTES: Final = (
    Route(
        "GET",
        "/api/incidents",
        incidents.listed,
        _PERSON,
        "What people reported and nobody has closed, newest first.",
        query=("closed", *listing.QUERY),
        answer=wire.Incidents,
        errors=(401, 403, 422),
        rule=Rule(_SEE),
    ),
    Route(
        "GET",
        "/api/incidents/<id>",
        incidents.show,
        _PERSON,
        "One report with its evidence.",
        answer=wire.Incident,
        errors=(401, 403, 404),
        rule=Rule(_SEE),
    ),
    Route(
        "POST",
        "/api/incidents/<id>/close",
        incidents.close,
        _PERSON,
        "Say that a report was looked into; who was stopped stays so.",
        body=wire.Closing,
        answer=wire.Incident,
        errors=(401, 403, 404, 409, 422),
        rule=Rule((Role.ADMIN,), signed=True),  # else a stolen cookie could put it out of sight
    ),
)
