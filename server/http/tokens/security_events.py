"""Endpoints of security events, for resource servers (SSF 1.0, RFC 8936)."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from server import telemetry
from server.http import wire
from server.http.oauth_wire import OauthAnswer
from server.http.route import Caller, HttpRequest, HttpResponse, as_json, route
from server.http.site import Site
from server.http.wire import StrictBody, Text
from server.model.resources import ResourceServer
from server.protocol import errors
from server.protocol.text import display_safe
from server.protocol.tokens import security_events
from server.protocol.tokens.security_events import MAX_EVENTS
from server.services.tokens.security_events import Poll


class TransmitterMetadata(OauthAnswer):
    """The metadata of the transmitter of security events (SSF 7.1)."""

    spec_version: str
    issuer: str
    jwks_uri: str
    delivery_methods_supported: list[str] = Field(min_length=1)
    configuration_endpoint: str


_Jti = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,128}$")]


class SetError(StrictBody):
    """The reason why a resource could not process an event (RFC 8936 2.6)."""

    err: Text
    description: Text = ""


class PollRequest(StrictBody):
    """The events that a resource acknowledges, and how many new events it wants (RFC 8936 2.2)."""

    model_config = ConfigDict(alias_generator=to_camel)

    max_events: int = Field(default=MAX_EVENTS, ge=0)
    return_immediately: bool = False
    ack: list[_Jti] = Field(default=[], max_length=1_000)
    set_errs: dict[_Jti, SetError] = Field(default={}, max_length=1_000)

    def record(self) -> Poll:
        """Convert to the services' type; a response has a limited number of events."""
        done = frozenset((*self.ack, *self.set_errs))
        return Poll(min(self.max_events, MAX_EVENTS), done)


class PollResponse(BaseModel):
    """The security event tokens by `jti` (RFC 8936 2.3)."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    sets: dict[str, str]
    more_available: bool


@route(f"GET {security_events.CONFIGURATION}", Caller.ANYBODY, answer=TransmitterMetadata)
def configuration(site: Site) -> dict[str, object]:
    """Get the metadata of security events (SSF 1.0)."""
    return security_events.configuration(site.server_policy.issuer)


@route("GET /ssf/stream", Caller.RESOURCE, query=("stream_id",), errors=(401, 404, 422))
def stream(site: Site, request: HttpRequest, caller: ResourceServer) -> HttpResponse:
    """Get the security event stream of a resource.

    A list (SSF 8.1.1.2), or the one stream that `stream_id` names.
    """
    document = security_events.stream(site.server_policy.issuer, caller.client_id, caller.uris)
    requested_id = request.query.get("stream_id")
    if requested_id not in {None, caller.client_id}:
        raise errors.Problem(404, "not_found", "Your stream has a different stream_id.")
    return as_json(200, [document] if requested_id is None else document)


@route("POST /ssf/poll", Caller.RESOURCE, body=PollRequest, errors=(400, 401))
def poll(site: Site, request: HttpRequest, caller: ResourceServer) -> PollResponse:
    """Fetch and acknowledge security events (RFC 8936).

    Returns immediately, even if there are no events.
    """
    body = wire.read(PollRequest, request.body, status=400)
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
    return PollResponse(sets=dict(polled.sets), more_available=polled.has_more)
