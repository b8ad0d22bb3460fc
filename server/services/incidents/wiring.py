"""The services of incidents, each made once."""

from server.services.adapters import Adapters
from server.services.approvals.decisions import ApprovalService
from server.services.incidents.incidents import Incidents
from server.services.incidents.reports import Reports


class IncidentServices:
    """Take reports, and show what became of them."""

    def __init__(self, given: Adapters, approvals: ApprovalService) -> None:
        self.incidents = Incidents(given.store)
        self.reports = Reports(given.store, given.secrets, approvals.deny_reported)
