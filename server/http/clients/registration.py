"""Endpoints of dynamic client registration (RFC 7591, RFC 7592)."""

from typing import Final

from server.http import oauth_wire
from server.http.route import Caller, HttpRequest, Route
from server.http.site import Site
from server.protocol.clients import app_registration, registration


def register(site: Site, request: HttpRequest) -> dict[str, object]:
    """POST /register: registers an app if it has redirect URIs, otherwise an agent."""
    content_type = _content_type(request)
    if site.server_policy.app_registration != "off" and app_registration.is_for_app(
        request.body, content_type
    ):
        app = app_registration.read(request.body, content_type)
        return site.clients.app_registration.register(_bearer(request), app, request.peer)
    metadata = registration.read(request.body, content_type)
    return site.clients.registration.register(_bearer(request), metadata, request.peer)


def show(site: Site, request: HttpRequest) -> dict[str, object]:
    """GET /register/<id>."""
    agent_id = request.params["id"]
    return site.clients.registration.show(agent_id, _bearer(request), request.peer)


def replace(site: Site, request: HttpRequest) -> dict[str, object]:
    """PUT /register/<id>."""
    agent_id = request.params["id"]
    update = registration.read_update(request.body, _content_type(request), agent_id)
    return site.clients.registration.replace(agent_id, _bearer(request), update, request.peer)


def delete(site: Site, request: HttpRequest) -> None:
    """DELETE /register/<id>."""
    site.clients.registration.delete(request.params["id"], _bearer(request), request.peer)


def _content_type(request: HttpRequest) -> str:
    return request.headers.get("content-type", "")


def _bearer(request: HttpRequest) -> str | None:
    """Return the token of the Authorization header (RFC 6750 2.1)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


_ID = "/register/<id>"

REGISTRATION_ROUTES: Final = (
    Route(
        "POST",
        "/register",
        register,
        Caller.CLIENT,
        "Register an agent with an invitation, or an app that has redirect URIs (RFC 7591).",
        body=oauth_wire.ClientMetadata,
        answer=oauth_wire.ClientInformation,
        status=201,
        errors=(400, 401, 503),
    ),
    Route(
        "GET",
        _ID,
        show,
        Caller.CLIENT,
        "Get the registration of an agent (RFC 7592).",
        answer=oauth_wire.ClientInformation,
        errors=(401, 503),
    ),
    Route(
        "PUT",
        _ID,
        replace,
        Caller.CLIENT,
        "Change the registration of an agent.",
        body=oauth_wire.ClientUpdate,
        answer=oauth_wire.ClientInformation,
        errors=(400, 401, 503),
    ),
    Route(
        "DELETE",
        _ID,
        delete,
        Caller.CLIENT,
        "Delete the registration of an agent.",
        status=204,
        errors=(401, 503),
    ),
)
