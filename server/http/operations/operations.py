"""The endpoints for monitoring, and the OpenAPI document."""

from server import telemetry
from server.http import oauth_wire, openapi
from server.http.route import Caller, HttpResponse, route
from server.http.site import Site
from server.protocol import errors
from server.services.audit import lag


@route("GET /healthz", Caller.ANYBODY, answer=oauth_wire.Health)
def healthy() -> dict[str, str]:
    """Check that the process runs."""
    return {"status": "ok"}


@route("GET /readyz", Caller.ANYBODY, answer=oauth_wire.Health)
def ready(site: Site) -> dict[str, str]:
    """Check that the server can serve.

    Fails without database or checkpoints, or if the process shuts down.
    """
    if site.readiness.ending:
        raise errors.TemporarilyUnavailable("The server is shutting down.")
    site.readiness.check(site.store)
    with site.store.read() as view:
        if lag.unsigned(view).too_long:
            raise errors.TemporarilyUnavailable("The audit log is not signed.")
    return {"status": "ready"}


@route("GET /metrics", Caller.ANYBODY)
def metrics(site: Site) -> HttpResponse:
    """Get metrics for Prometheus."""
    with site.store.read() as view:
        for state, count in view.outbox.counts().items():
            telemetry.OUTBOX.labels(state).set(count)
        unsigned = lag.unsigned(view)
    telemetry.UNSIGNED_ENTRIES.set(unsigned.entries)
    telemetry.UNSIGNED_SECONDS.set(unsigned.milliseconds / 1000)
    body = telemetry.metrics_text()
    return HttpResponse(200, body, {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


@route("GET /api/openapi.json", Caller.ANYBODY)
def document(site: Site) -> dict[str, object]:
    """Get this document."""
    return openapi.document(site.server_policy.issuer, site.routes)
