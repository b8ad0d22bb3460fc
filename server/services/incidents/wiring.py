"""Builds the services of incidents."""

from server.services.adapters import Adapters
from server.services.approvals.decisions import ApprovalService
from server.services.incidents.incidents import Incidents
from server.services.incidents.reports import Reports


class IncidentServices:
    """The services that accept reports and show incidents."""

    def __init__(self, given: Adapters, approvals: ApprovalService) -> None:
        self.incidents = Incidents(given.store)
        self.reports = Reports(given.store, given.secrets, approvals.deny_reported)
