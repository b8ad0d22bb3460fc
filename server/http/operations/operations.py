"""The endpoints for monitoring, and the OpenAPI document."""

from server import telemetry
from server.http import openapi
from server.http.route import HttpRequest, HttpResponse
from server.http.site import Site
from server.protocol import errors
from server.services.audit import lag


def healthy(_site: Site, _request: HttpRequest) -> dict[str, str]:
    """GET /healthz."""
    return {"status": "ok"}


def ready(site: Site, _request: HttpRequest) -> dict[str, str]:
    """GET /readyz: fails without database or checkpoints, or if the process shuts down."""
    if site.readiness.ending:
        raise errors.TemporarilyUnavailable("The server is shutting down.")
    site.readiness.check(site.store)
    with site.store.read() as view:
        if lag.unsigned(view).too_long:
            raise errors.TemporarilyUnavailable("The audit log is not signed.")
    return {"status": "ready"}


def metrics(site: Site, _request: HttpRequest) -> HttpResponse:
    """GET /metrics, in the text format of Prometheus."""
    with site.store.read() as view:
        for state, count in view.outbox.counts().items():
            telemetry.OUTBOX.labels(state).set(count)
        unsigned = lag.unsigned(view)
    telemetry.UNSIGNED_ENTRIES.set(unsigned.entries)
    telemetry.UNSIGNED_SECONDS.set(unsigned.milliseconds / 1000)
    body = telemetry.metrics_text()
    return HttpResponse(200, body, {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


def document(site: Site, _request: HttpRequest) -> dict[str, object]:
    """GET /api/openapi.json."""
    return openapi.document(site.server_policy.issuer, site.routes)
