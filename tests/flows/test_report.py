"""A report from a user's terminal quarantines an agent; only an administrator releases it."""

import time
from collections.abc import Iterator

import httpx
import pytest

from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.incidents.reports import ReportScope
from server.services.clients.agents import Agents
from server.services.incidents.incidents import Incidents
from tests.support.builders.token_chains import BANK, LiveChains
from tests.support.clients.agent import Agent
from tests.support.clients.feed_frames import open_feed
from tests.support.clients.terminal import Terminal, new_person
from tests.support.inputs.raw_api import RawApi
from tests.support.servers.server import BY, LiveServer

_MAX_SECONDS = 10.0  # a second, plus time for a busy machine


@pytest.fixture
def http(server: LiveServer) -> Iterator[httpx.Client]:
    """A connection to the server."""
    with server.client() as client:
        yield client


@pytest.fixture
def other_user(server: LiveServer) -> Iterator[Terminal]:
    """A second user, who owns the agent."""
    terminal = new_person(server)
    yield terminal
    terminal.client.close()


def test_a_report_quarantines_the_agent_and_only_an_administrator_releases_it(
    server: LiveServer, http: httpx.Client, person: Terminal, other_user: Terminal
) -> None:
    """Within a second, a report revokes the agent's and derived tokens and ends its requests."""
    chains = LiveChains(server, http, person.client.profile.user_id)
    chains.prepare()
    key, second = chains.agent(owners=(other_user.user,)), chains.agent(serves=(BANK,))
    for agent in (key, second):
        chains.consent(agent, "bank:read")
    bank = server.resources.rotate_secret(BANK, by=BY, overlap_ms=0)
    secret = (bank.resource.client_id, bank.secret)
    token = chains.exchanged(key, chains.user_token())
    child = chains.exchanged(second, token)
    agent, parameters = Agent(key, http), {"resource": BANK, "scope": "openid bank:write"}
    to_other = agent.request_approval(other_user.user, **parameters)
    handle = agent.request_approval(person.user, **parameters)

    def is_active(text: str) -> bool:
        answer = http.post("/introspect", data={"token": text}, auth=secret)
        assert answer.status_code == 200, answer.text
        return bool(answer.json()["active"])

    assert is_active(child)
    with open_feed(other_user) as line:
        began = time.monotonic()
        report = person.decider.report(person.only_request(), ReportScope.AGENT, "Not me")
        assert not is_active(token)
        took = time.monotonic() - began
        assert not is_active(child)
        assert line.event("approval.cancelled")["approval"]["reason"] == "agent_quarantined"
        alarm = line.event("alarm.incident_opened")
        assert alarm["agent"]["id"] == key.id
        assert alarm["incident"] == report.incident
    assert took < _MAX_SECONDS
    assert report.approval.state is ApprovalState.DENIED
    (quarantined,) = report.agents
    assert (quarantined.state, quarantined.tokens_revoked, quarantined.requests_cancelled) == (
        "quarantined",
        2,
        1,
    )
    assert (person.waiting(), other_user.waiting()) == ((), ())
    for reply in (agent.poll(handle), agent.poll(to_other), chains.exchange(key, token)):
        assert (reply.status_code, reply.json()["reason"]) == (400, "agent_quarantined")

    agents = Agents(server.services.store, server.services.secrets)
    path = f"/api/agents/{key.id}/enable"
    for user in (other_user, person):
        assert RawApi(user, http).call("POST", path).status_code == 403
    assert agents.show(key.id)[0].state == "quarantined"
    agents.enable(key.id, by=BY)
    reply = agent.poll(handle).json()
    assert (reply["error"], reply["deny_code"], reply["retry"]) == (
        "access_denied",
        "suspicious",
        "never",
    )
    assert not is_active(token)
    incident = Incidents(server.services.store).show(report.incident)
    assert (incident.incident.note, incident.incident.state) == ("Not me", "open")
