"""Routes of reports and incidents."""

from typing import Final

from server.http import listing
from server.http.incidents import incidents
from server.http.route import managed, own
from server.services.operations.authority import Role

_SEE = (Role.ADMIN, Role.AUDITOR, Role.OWNER)

REPORT_ROUTES: Final = (
    own(
        "POST /api/approvals/<id>/report",
        incidents.report,
        "Report a request: deny it and quarantine the agent, or all that act for you.",
        errors=(404, 422),
    ),
)

INCIDENT_ROUTES: Final = (
    managed(
        "GET /api/incidents",
        incidents.listed,
        "List open incidents, newest first.",
        query=("closed", *listing.QUERY),
        roles=_SEE,
        errors=(401, 403, 422),
    ),
    managed(
        "GET /api/incidents/<id>",
        incidents.show,
        "Get one incident with its evidence.",
        roles=_SEE,
        errors=(401, 403, 404),
    ),
    managed(
        "POST /api/incidents/<id>/close",
        incidents.close,
        "Close an incident. Quarantined agents stay quarantined.",
        signed=True,
    ),
)
