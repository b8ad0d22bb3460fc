"""A real server quarantines an agent without an enabled owner after its grace period."""

from server.services.clients.agent_forms import AgentChanges
from server.services.clients.agents import Agents
from server.services.users.users import Users
from tests.support.builders.clock import DAY, HOUR
from tests.support.checks.log_and_rows import entries
from tests.support.checks.waiting import until
from tests.support.clients.agent import new_agent
from tests.support.servers.server import BY, LiveServer

_ROUNDS_SECONDS = 60.0
"""The server's loop runs every ten seconds, and a busy machine may be late."""


def test_an_orphan_is_quarantined_by_the_server_and_continues_with_a_new_owner(
    server: LiveServer, user: str
) -> None:
    """The agent works during the grace period; then the server itself quarantines it."""
    services = server.services
    users, agents = (kind(services.store, services.secrets) for kind in (Users, Agents))
    owner, _ = server.user()
    agent = new_agent(server, owners=(owner,))
    server.closing.callback(agent.http.close)
    users.disable(owner, by=BY)
    server.clock.forward(14 * DAY - HOUR)
    assert agent.ask(user).status_code == 200
    server.clock.forward(HOUR)
    until(lambda: agents.show(agent.key.id)[0].state == "quarantined", _ROUNDS_SECONDS)
    refused = agent.ask(user)
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")
    agents.update(agent.key.id, AgentChanges(add_owners=(user,)), by=BY)
    agents.enable(agent.key.id, by=BY)
    assert agent.ask(user).status_code == 200
    for kind in ("agent.orphaned", "agent.quarantined", "incident.opened", "agent.enabled"):
        assert len(entries(server, kind, agent_id=agent.key.id)) == 1, kind
