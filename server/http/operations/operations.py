"""The endpoints for monitoring, and the OpenAPI document."""

from server import telemetry
from server.http import openapi
from server.http.route import HttpRequest, HttpResponse
from server.http.site import Site
from server.protocol import errors


def healthy(_site: Site, _request: HttpRequest) -> dict[str, str]:
    """GET /healthz."""
    return {"status": "ok"}


def ready(site: Site, _request: HttpRequest) -> dict[str, str]:
    """GET /readyz: fails if the database does not answer or the process shuts down."""
    if site.readiness.ending:
        raise errors.TemporarilyUnavailable("The server is shutting down.")
    site.readiness.check(site.store)
    return {"status": "ready"}


def metrics(site: Site, _request: HttpRequest) -> HttpResponse:
    """GET /metrics, in the text format of Prometheus."""
    with site.store.read() as view:
        for state, count in view.outbox.counts().items():
            telemetry.OUTBOX.labels(state).set(count)
    body = telemetry.metrics_text()
    return HttpResponse(200, body, {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


def document(site: Site, _request: HttpRequest) -> dict[str, object]:
    """GET /api/openapi.json."""
    return openapi.document(site.server_policy.issuer, site.routes)
