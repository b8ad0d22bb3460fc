"""Endpoints of dynamic client registration (RFC 7591, RFC 7592)."""

from server.http import oauth_wire
from server.http.route import Caller, HttpRequest, route
from server.http.site import Site
from server.protocol.clients import app_registration, registration


@route(
    "POST /register",
    Caller.CLIENT,
    body=oauth_wire.ClientMetadata,
    answer=oauth_wire.ClientInformation,
    status=201,
    errors=(400, 401, 503),
)
def register(site: Site, request: HttpRequest) -> dict[str, object]:
    """Register an agent with an invitation, or an app that has redirect URIs (RFC 7591)."""
    content_type = request.headers.get("content-type", "")
    if site.server_policy.app_registration != "off" and app_registration.is_for_app(
        request.body, content_type
    ):
        app = app_registration.read(request.body, content_type)
        return site.clients.app_registration.register(_bearer(request), app, request.peer)
    metadata = registration.read(request.body, content_type)
    return site.clients.registration.register(_bearer(request), metadata, request.peer)


@route(
    "GET /register/<id>",
    Caller.CLIENT,
    answer=oauth_wire.ClientInformation,
    errors=(401, 503),
)
def show(site: Site, request: HttpRequest, record_id: str) -> dict[str, object]:
    """Get the registration of an agent (RFC 7592)."""
    return site.clients.registration.show(record_id, _bearer(request), request.peer)


@route(
    "PUT /register/<id>",
    Caller.CLIENT,
    body=oauth_wire.ClientUpdate,
    answer=oauth_wire.ClientInformation,
    errors=(400, 401, 503),
)
def replace(site: Site, request: HttpRequest, record_id: str) -> dict[str, object]:
    """Change the registration of an agent."""
    content_type = request.headers.get("content-type", "")
    update = registration.read_update(request.body, content_type, record_id)
    return site.clients.registration.replace(record_id, _bearer(request), update, request.peer)


@route("DELETE /register/<id>", Caller.CLIENT, errors=(401, 503))
def delete(site: Site, request: HttpRequest, record_id: str) -> None:
    """Delete the registration of an agent."""
    site.clients.registration.delete(record_id, _bearer(request), request.peer)


def _bearer(request: HttpRequest) -> str | None:
    """Return the token of the Authorization header (RFC 6750 2.1)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
