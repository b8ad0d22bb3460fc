"""The endpoints for statistics, findings, settings and limits."""

import re

from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.operations import limits_wire
from server.http.operations import statistics_wire as wire
from server.http.site import Site
from server.protocol import errors
from server.services.operations.administration import AdminServices
from server.services.operations.statistics import MAX_DAYS

_NUMBER = re.compile(r"[0-9]{1,2}")


def summary(_site: Site, request: HttpRequest, services: AdminServices) -> HttpResponse:
    """GET /api/admin/statistics."""
    return as_json(200, wire.answer(services.statistics.summary(_days(request))).model_dump())


def of_agent(_site: Site, request: HttpRequest, services: AdminServices) -> HttpResponse:
    """GET /api/agents/<id>/statistics."""
    found = services.statistics.of_agent(request.params["id"], _days(request))
    return as_json(200, wire.course(found).model_dump())


def findings(_site: Site, _request: HttpRequest, services: AdminServices) -> HttpResponse:
    """GET /api/admin/findings: without the checks of the machine, which only `sayso doctor` has."""
    return as_json(200, wire.findings(services.doctor.findings()).model_dump())


def settings(site: Site, _request: HttpRequest, services: AdminServices) -> HttpResponse:
    """GET /api/admin/settings."""
    services.check()
    items = [wire.Setting(name=n, value=v, source=source) for n, v, source in site.settings]
    answer = wire.Settings(items=items, issuer=site.rules.issuer)
    return as_json(200, answer.model_dump())


def limits(site: Site, _request: HttpRequest, services: AdminServices) -> HttpResponse:
    """GET /api/admin/limits."""
    found = limits_wire.answer(services.limits.overview(), list(site.settings))
    return as_json(200, found.model_dump())


def _days(request: HttpRequest) -> int:
    """The `days` parameter. Raises errors.Problem 422."""
    text = request.query.get("days", "14")
    if not _NUMBER.fullmatch(text) or not 0 < int(text) <= MAX_DAYS:
        raise errors.Problem(422, "invalid_body", f"days must be 1 to {MAX_DAYS}.")
    return int(text)
