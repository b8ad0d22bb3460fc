"""The endpoints for statistics, findings, settings and limits."""

import re
from typing import Final

from server.http.notifications import outbox
from server.http.operations import limits_wire
from server.http.operations import statistics_wire as wire
from server.http.route import HttpRequest, managed
from server.http.site import Site
from server.protocol import errors
from server.services.operations.administration import AdminServices
from server.services.operations.statistics import MAX_DAYS

_NUMBER = re.compile(r"[0-9]{1,2}")


def summary(_site: Site, request: HttpRequest, services: AdminServices) -> wire.Statistics:
    """GET /api/admin/statistics."""
    return wire.answer(services.statistics.summary(_days(request)))


def of_agent(_site: Site, request: HttpRequest, services: AdminServices) -> wire.AgentStatistics:
    """GET /api/agents/<id>/statistics."""
    found = services.statistics.of_agent(request.params["id"], _days(request))
    return wire.course(found)


def findings(_site: Site, _request: HttpRequest, services: AdminServices) -> wire.Findings:
    """GET /api/admin/findings: without the checks of the machine, which only `sayso doctor` has."""
    return wire.findings(services.doctor.findings())


def settings(site: Site, _request: HttpRequest, services: AdminServices) -> wire.Settings:
    """GET /api/admin/settings."""
    services.check()
    items = [wire.Setting(name=n, value=v, source=source) for n, v, source in site.settings]
    return wire.Settings(items=items, issuer=site.server_policy.issuer)


def limits(site: Site, _request: HttpRequest, services: AdminServices) -> limits_wire.Limits:
    """GET /api/admin/limits."""
    return limits_wire.answer(services.limits.overview(), list(site.settings))


def _days(request: HttpRequest) -> int:
    """The `days` parameter. Raises errors.Problem 422."""
    text = request.query.get("days", "14")
    if not _NUMBER.fullmatch(text) or not 0 < int(text) <= MAX_DAYS:
        raise errors.Problem(422, "invalid_body", f"days must be 1 to {MAX_DAYS}.")
    return int(text)


STATISTICS_ROUTES: Final = (
    managed(
        "GET /api/admin/statistics",
        summary,
        "Get statistics of requests and answers.",
        query=("days",),
    ),
    managed("GET /api/admin/findings", findings, "List what is weak or broken, with the fix."),
    managed(
        "GET /api/admin/outbox",
        outbox.state,
        "Get the state of the outbox, push services and loops.",
    ),
    managed("POST /api/admin/outbox/<id>/retry", outbox.retry, "Retry an undelivered message."),
    managed(
        "GET /api/admin/limits",
        limits,
        "List each limit, who is near it, and who reached it in the last day.",
    ),
    managed("GET /api/admin/settings", settings, "List each setting and its source."),
)
