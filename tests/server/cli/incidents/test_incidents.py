"""`sayso incidents`: what people reported, on an installation where one did."""

import time

import pytest

from server.services.clients import agents
from tests.support.builders.admins import add_incident
from tests.support.builders.installation import open_desk


@pytest.fixture
def opened(begun, folder):
    """An incident of the administrator's own, and the desk behind it."""
    begun("agents", "add", "invoice-bot", "--owner", "admin")
    desk = open_desk(folder)
    desk.clock.moment = int(time.time() * 1000)
    agent, (admin,) = desk.agents.show("invoice-bot")
    incident = add_incident(desk, desk.approval(agent.id, admin.id))
    yield incident, desk, agent
    desk.store.close()


def test_an_incident_is_listed_shown_and_closed(begun, opened):
    """With what to do next; closed ones are listed only when they are wanted."""
    incident, _, _ = opened
    (item,) = begun("incidents", "list", "--json").document["items"]
    assert (item["id"], item["state"], item["user"]["name"]) == (incident, "open", "admin")
    assert "admin" in begun("incidents", "list").out
    shown = begun("incidents", "show", incident).out
    assert f"sayso incidents close {incident} --note TEXT" in shown
    assert begun("incidents", "show", incident, "--json").document == item
    closed = begun("incidents", "close", incident, "--note", "A test", "--json").document
    assert (closed["state"], closed["closing_note"]) == ("closed", "A test")
    assert closed["closed_by"] == "operator"
    assert begun("incidents", "list").out == "There are none.\n"
    assert len(begun("incidents", "list", "--closed", "--json").document["items"]) == 1
    assert "sayso incidents close" not in begun("incidents", "show", incident).out
    assert begun("incidents", "close", incident, "--json").error["exit"] == 6


def test_a_stopped_agent_is_named_with_how_it_goes_on(begun, opened):
    """Closing lifts nothing, and says so by naming the command that does."""
    incident, desk, agent = opened
    with desk.store.administer() as tx:
        stopped = agents.quarantine(tx, agent, incident, by="user:x")
    evidence = {
        "id": agent.id,
        "name": agent.name,
        "was": "enabled",
        "state": stopped.agent.state,
        "owners": list(agent.owners),
        "auth_method": agent.auth_method,
        "keys": [],
        "secrets": [{"id": "s", "hint": "abcd", "last_used_at": 0}],
        **stopped.counts,
    }
    again = add_incident(desk, desk.approval(agent.id, agent.owners[0]), "sayso_ic_2", evidence)
    out = begun("incidents", "show", again).out
    assert "invoice-bot: was enabled, is quarantined; ended: tokens 0, requests 1." in out
    assert "To release invoice-bot: sayso agents enable invoice-bot" in out
    (one,) = begun("incidents", "show", again, "--json").document["agents"]
    assert (one["client_id"], one["state"]) == (agent.id, "quarantined")
    assert one["secrets"] == [
        {"id": "s", "hint": "abcd", "last_used_at": "1970-01-01T00:00:00.000Z"}
    ]
    assert "quarantined" in begun("agents", "show", "invoice-bot").out
    assert begun("agents", "enable", "invoice-bot", "--json").document["state"] == "enabled"
    assert "agents enable" not in begun("incidents", "close", again).out
