"""Endpoints to disable an agent, and to preview what that ends."""

from server.http.clients import agent_wire as wire
from server.http.route import HttpRequest
from server.http.site import Site
from server.services.clients.agents import DisabledAgent
from server.services.operations.administration import AdminServices


def preview(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.DisableAgentResult:
    """GET /api/agents/<id>/disable: what would end."""
    return _document(admin.agents.preview(request.params["id"]))


def disable(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.DisableAgentResult:
    """POST /api/agents/<id>/disable."""
    stopped = admin.agents.disable(request.params["id"], by=admin.by)
    return _document(stopped)


def _document(stopped: DisabledAgent) -> wire.DisableAgentResult:
    return wire.DisableAgentResult(
        client_id=stopped.agent.id, state=stopped.agent.state, **stopped.counts
    )
