"""Endpoints of dynamic client registration (RFC 7591, RFC 7592)."""

from server.http.message import NO_STORE, HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.protocol.clients import app_registration, registration


def register(site: Site, request: HttpRequest) -> HttpResponse:
    """POST /register: an app that people use if it has redirect URIs, else an agent."""
    kind = _content_type(request)
    if site.rules.app_registration != "off" and app_registration.is_for_app(request.body, kind):
        app = app_registration.read(request.body, kind)
        registered = site.clients.app_registration.register(_bearer(request), app, request.peer)
        return as_json(201, registered)
    wanted = registration.read(request.body, kind)
    return as_json(201, site.clients.registration.register(_bearer(request), wanted, request.peer))


def show(site: Site, request: HttpRequest) -> HttpResponse:
    """GET /register/<id>."""
    agent_id = request.params["id"]
    return as_json(200, site.clients.registration.show(agent_id, _bearer(request), request.peer))


def replace(site: Site, request: HttpRequest) -> HttpResponse:
    """PUT /register/<id>."""
    agent_id = request.params["id"]
    update = registration.read_update(request.body, _content_type(request), agent_id)
    answer = site.clients.registration.replace(agent_id, _bearer(request), update, request.peer)
    return as_json(200, answer)


def delete(site: Site, request: HttpRequest) -> HttpResponse:
    """DELETE /register/<id>."""
    site.clients.registration.delete(request.params["id"], _bearer(request), request.peer)
    return HttpResponse(204, headers=NO_STORE)


def _content_type(request: HttpRequest) -> str:
    return request.headers.get("content-type", "")


def _bearer(request: HttpRequest) -> str | None:
    """Return the token of the Authorization header (RFC 6750 2.1)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
