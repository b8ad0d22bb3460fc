"""Stopping an agent at once, and looking at what that would stop."""

from server.http import admin_wire as wire
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.services.administration import Desk
from server.services.agents import StoppedAgent


def preview(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """GET /api/agents/<id>/disable: what would end; nothing does."""
    return as_json(200, _document(desk.agents.preview(request.params["id"])).model_dump())


def disable(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """POST /api/agents/<id>/disable."""
    stopped = desk.agents.disable(request.params["id"], by=desk.by)
    return as_json(200, _document(stopped).model_dump())


def _document(stopped: StoppedAgent) -> wire.StoppedAgent:
    return wire.StoppedAgent(
        client_id=stopped.agent.id, state=stopped.agent.state, **stopped.counts
    )
