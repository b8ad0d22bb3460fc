"""Endpoints of dynamic client registration (RFC 7591, RFC 7592)."""

from server.http.route import HttpRequest
from server.http.site import Site
from server.protocol.clients import app_registration, registration


def register(site: Site, request: HttpRequest) -> dict[str, object]:
    """POST /register: an app that people use if it has redirect URIs, else an agent."""
    kind = _content_type(request)
    if site.server_policy.app_registration != "off" and app_registration.is_for_app(
        request.body, kind
    ):
        app = app_registration.read(request.body, kind)
        return site.clients.app_registration.register(_bearer(request), app, request.peer)
    wanted = registration.read(request.body, kind)
    return site.clients.registration.register(_bearer(request), wanted, request.peer)


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
