"""Routes of reports and incidents."""

from typing import Final

from server.http import listing
from server.http.incidents import incident_wire as wire
from server.http.incidents import incidents
from server.http.route import Caller, Route
from server.services.operations.authority import AccessRule, Role

_PERSON = Caller.PERSON
_SEE = (Role.ADMIN, Role.AUDITOR, Role.OWNER)

REPORT_ROUTES: Final = (
    Route(
        "POST",
        "/api/approvals/<id>/report",
        incidents.report,
        _PERSON,
        "Report a request: deny it and quarantine the agent, or all that act for you.",
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
        "List open incidents, newest first.",
        query=("closed", *listing.QUERY),
        answer=wire.Incidents,
        errors=(401, 403, 422),
        rule=AccessRule(_SEE),
    ),
    Route(
        "GET",
        "/api/incidents/<id>",
        incidents.show,
        _PERSON,
        "Get one incident with its evidence.",
        answer=wire.Incident,
        errors=(401, 403, 404),
        rule=AccessRule(_SEE),
    ),
    Route(
        "POST",
        "/api/incidents/<id>/close",
        incidents.close,
        _PERSON,
        "Close an incident. Quarantined agents stay quarantined.",
        body=wire.Closing,
        answer=wire.Incident,
        errors=(401, 403, 404, 409, 422),
        rule=AccessRule(
            (Role.ADMIN,), signed=True
        ),  # signed, so that a stolen cookie cannot hide an incident
    ),
)
