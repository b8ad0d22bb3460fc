"""The endpoints for statistics, findings, settings and limits."""

from server.http import listing
from server.http.operations import limits_wire
from server.http.operations import statistics_wire as wire
from server.http.route import STAFF_AND_OWNERS, HttpRequest, managed
from server.http.site import Site
from server.services.operations.administration import AdminServices
from server.services.operations.statistics import MAX_DAYS


@managed("GET /api/admin/statistics", query=("days",))
def summary(request: HttpRequest, admin: AdminServices) -> wire.Statistics:
    """Get statistics of requests and answers."""
    return wire.answer(admin.statistics.summary(_days(request)))


@managed("GET /api/agents/<id>/statistics", query=("days",), roles=STAFF_AND_OWNERS)
def of_agent(request: HttpRequest, admin: AdminServices, record_id: str) -> wire.AgentStatistics:
    """Get statistics of an agent's requests."""
    statistics = admin.statistics.of_agent(record_id, _days(request))
    return wire.agent_history(statistics)


@managed("GET /api/admin/findings")
def findings(admin: AdminServices) -> wire.Findings:
    """List weaknesses and faults, and how to fix them.

    The checks of the machine are not included; only `sayso doctor` runs them.
    """
    return wire.findings(admin.doctor.findings())


@managed("GET /api/admin/settings")
def settings(site: Site, admin: AdminServices) -> wire.Settings:
    """List each setting and its source."""
    admin.check()
    items = [wire.Setting(name=n, value=v, source=source) for n, v, source in site.settings]
    return wire.Settings(items=items, issuer=site.server_policy.issuer)


@managed("GET /api/admin/limits")
def limits(site: Site, admin: AdminServices) -> limits_wire.Limits:
    """List each limit, who is near it, and who reached it in the last 24 hours."""
    return limits_wire.answer(admin.limits.overview(), list(site.settings))


def _days(request: HttpRequest) -> int:
    """The `days` parameter. Raises errors.Problem 422."""
    return listing.number(request, "days", default=14, largest=MAX_DAYS)
