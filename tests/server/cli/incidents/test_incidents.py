"""`sayso incidents` on an installation with one reported request."""

import time
from types import SimpleNamespace

import pytest

from server.services.clients import agents
from server.services.incidents.log_alarms import LogAlarm, LogAlarms
from tests.support.builders.admins import add_incident
from tests.support.builders.installation import open_admin


@pytest.fixture
def reported_incident(admin_cli, data_folder):
    """An incident that the administrator reported, with the services and the agent."""
    admin_cli("agents", "add", "invoice-bot", "--owner", "admin")
    services = open_admin(data_folder)
    services.clock.moment = int(time.time() * 1000)
    agent, (admin,) = services.agents.show("invoice-bot")
    incident = add_incident(services, services.approval(agent.id, admin.id))
    yield incident, services, agent
    services.store.close()


def test_incidents_are_listed_shown_and_closed(admin_cli, reported_incident):
    """The output names the next command, and only `--closed` lists closed incidents."""
    incident, _, _ = reported_incident
    (item,) = admin_cli("incidents", "list", "--json").document["items"]
    assert (item["id"], item["state"], item["user"]["name"]) == (incident, "open", "admin")
    assert "admin" in admin_cli("incidents", "list").out
    output = admin_cli("incidents", "show", incident).out
    assert f"sayso incidents close {incident} --note TEXT" in output
    assert admin_cli("incidents", "show", incident, "--json").document == item
    closed = admin_cli("incidents", "close", incident, "--note", "A test", "--json").document
    assert (closed["state"], closed["closing_note"]) == ("closed", "A test")
    assert closed["closed_by"] == "operator"
    assert admin_cli("incidents", "list").out == "No results.\n"
    assert len(admin_cli("incidents", "list", "--closed", "--json").document["items"]) == 1
    assert "sayso incidents close" not in admin_cli("incidents", "show", incident).out
    assert admin_cli("incidents", "close", incident, "--json").error["exit"] == 6


def test_closing_an_incident_names_the_command_that_enables_the_quarantined_agent(
    admin_cli, reported_incident
):
    """The command is needed because closing an incident does not release its agent."""
    incident, services, agent = reported_incident
    with services.store.administer() as tx:
        quarantined = agents.quarantine(tx, agent, incident, by="user:x")
    evidence = {
        "id": agent.id,
        "name": agent.name,
        "state_before": "enabled",
        "state": quarantined.agent.state,
        "owners": list(agent.owners),
        "auth_method": agent.auth_method,
        "keys": [],
        "secrets": [{"id": "s", "hint": "abcd", "last_used_at": 0}],
        **quarantined.counts,
    }
    again = add_incident(
        services, services.approval(agent.id, agent.owners[0]), "sayso_ic_2", evidence
    )
    out = admin_cli("incidents", "show", again).out
    assert "invoice-bot: was enabled, is quarantined; ended: tokens 0, requests 1." in out
    assert "To release invoice-bot: sayso agents enable invoice-bot" in out
    (agent_evidence,) = admin_cli("incidents", "show", again, "--json").document["agents"]
    assert (agent_evidence["client_id"], agent_evidence["state"]) == (agent.id, "quarantined")
    assert agent_evidence["secrets"] == [
        {"id": "s", "hint": "abcd", "last_used_at": "1970-01-01T00:00:00.000Z"}
    ]
    assert "quarantined" in admin_cli("agents", "show", "invoice-bot").out
    assert admin_cli("agents", "enable", "invoice-bot", "--json").document["state"] == "enabled"
    assert "agents enable" not in admin_cli("incidents", "close", again).out


def test_an_alarm_about_the_log_says_who_saw_it_and_how_to_verify(admin_cli, data_folder):
    """Each checkpoint of the device is printed on one line."""
    services = open_admin(data_folder)
    admin_cli("users", "add", "olga")
    with services.store.read() as view:
        user = view.directory.find_user("olga")
    person = SimpleNamespace(user=user, registered_device=SimpleNamespace(id="sayso_de_1"))
    alarm = LogAlarm("a.example/log\n12\n", "a.example/log\n7\n")
    incident = LogAlarms(services.store, services.secrets).report(person, alarm)
    services.store.close()
    assert "their device saw a different audit log" in admin_cli("incidents", "list").out
    out = admin_cli("incidents", "show", incident).out
    assert "olga" in out
    assert "a.example/log / 7" in out
    assert "sayso audit verify FILE" in out
