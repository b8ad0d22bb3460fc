"""Endpoints to disable an agent, and to preview what that ends."""

from server.http.clients import agent_wire as wire
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.services.clients.agents import DisabledAgent
from server.services.operations.administration import AdminServices


def preview(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/agents/<id>/disable: what would end."""
    return as_json(200, _document(admin.agents.preview(request.params["id"])).model_dump())


def disable(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/agents/<id>/disable."""
    stopped = admin.agents.disable(request.params["id"], by=admin.by)
    return as_json(200, _document(stopped).model_dump())


def _document(stopped: DisabledAgent) -> wire.StoppedAgent:
    return wire.StoppedAgent(
        client_id=stopped.agent.id, state=stopped.agent.state, **stopped.counts
    )
