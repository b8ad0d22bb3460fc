"""Endpoints of security events, for resource servers (SSF 1.0, RFC 8936)."""

from typing import Final

from server import telemetry
from server.http import wire
from server.http.route import Caller, HttpRequest, HttpResponse, Route, as_json
from server.http.site import Site
from server.http.tokens import security_event_wire as events_wire
from server.model.resources import ResourceServer
from server.protocol import errors
from server.protocol.text import display_safe
from server.protocol.tokens import security_events


def configuration(site: Site, _request: HttpRequest) -> dict[str, object]:
    """GET /.well-known/ssf-configuration (SSF 7.2)."""
    return security_events.configuration(site.server_policy.issuer)


def stream(site: Site, request: HttpRequest, caller: ResourceServer) -> HttpResponse:
    """GET /ssf/stream (SSF 8.1.1.2): a list, or the one stream that `stream_id` names."""
    found = security_events.stream(site.server_policy.issuer, caller.client_id, caller.uris)
    named = request.query.get("stream_id")
    if named not in {None, caller.client_id}:
        raise errors.Problem(404, "not_found", "Your stream has another stream_id.")
    return as_json(200, [found] if named is None else found)


def poll(site: Site, request: HttpRequest, caller: ResourceServer) -> events_wire.PollResponse:
    """POST /ssf/poll (RFC 8936 2.4): answers immediately, also if nothing waits."""
    body = wire.read(events_wire.PollRequest, request.body, status=400)
    polled = site.tokens.security_events.poll(caller, body.record())
    for event_id in polled.deleted:
        if (refusal := body.set_errs.get(event_id)) is not None:
            telemetry.log().warning(
                "security_event.refused",
                resource=caller.client_id,
                jti=event_id,
                error=display_safe(refusal.err),
                description=display_safe(refusal.description),
            )
    return events_wire.PollResponse(sets=dict(polled.sets), more_available=polled.more)


SECURITY_EVENT_ROUTES: Final = (
    Route(
        "GET",
        security_events.CONFIGURATION,
        configuration,
        Caller.ANYBODY,
        "Get the metadata of security events (SSF 1.0).",
        answer=events_wire.TransmitterMetadata,
    ),
    Route(
        "GET",
        "/ssf/stream",
        stream,
        Caller.RESOURCE,
        "Get the security event stream of a resource.",
        query=("stream_id",),
        errors=(401, 404, 422),
    ),
    Route(
        "POST",
        "/ssf/poll",
        poll,
        Caller.RESOURCE,
        "Fetch and acknowledge security events (RFC 8936).",
        body=events_wire.PollRequest,
        answer=events_wire.PollResponse,
        errors=(400, 401),
    ),
)
