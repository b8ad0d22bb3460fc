"""An agent with a new name is one that people do not know yet."""

import json

import pytest

from server.model.clients import FormerName
from server.services.clients import agent_names
from server.services.clients.agent_forms import AgentChanges
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY


@pytest.fixture
def agents(local):
    """Their administration."""
    return local.desk.agents


def _first(approval):
    return json.loads(approval.display)["agent"]["first_request"]


def test_an_agent_has_its_name_since_it_was_given(local, agent, agents):
    """Neither another change nor the same name counts."""
    made = agents.show(agent.id)[0]
    assert agent_names.named_since(made) == made.created_at
    local.clock.forward(DAY)
    agents.update(agent.id, AgentChanges(description="Pays", name="invoice-bot"), by=BY)
    assert agent_names.named_since(agents.show(agent.id)[0]) == made.created_at
    renamed = agents.update(agent.id, AgentChanges(name="billing-bot"), by=BY)
    assert renamed == agents.show(agent.id)[0]
    assert agent_names.named_since(renamed) == local.clock.now()


def test_former_names_are_kept_with_their_ends(local, agent, agents):
    """The newest first; those of a deleted agent go with it."""
    ends = []
    for name in ("billing-bot", "invoice-bot", "Invoice-Bot"):
        local.clock.forward(DAY)
        ends.append(local.clock.now())
        agents.update(agent.id, AgentChanges(name=name), by=BY)
    with local.desk.store.read() as view:
        assert view.names.former(agent.id) == [
            FormerName("invoice-bot", ends[2]),
            FormerName("billing-bot", ends[1]),
            FormerName("invoice-bot", ends[0]),
        ]
    agents.delete(agent.id, by=BY)
    with local.desk.store.read() as view:
        assert view.names.former(agent.id) == []


def test_a_new_name_is_an_entry_and_its_owners_are_told(local, agent, agents):
    """Once, with both names in the log and none in the message."""
    eva = new_person(local, "eva").user
    agents.update(agent.id, AgentChanges(add_owners=("eva",)), by=BY)
    for _ in range(2):
        agents.update(agent.id, AgentChanges(name="billing-bot"), by=BY)
    (entry,) = local.desk.entries("agent.renamed")
    assert entry["agent_id"] == agent.id
    assert entry["facts"] == {"name": "billing-bot", "was": "invoice-bot"}
    assert local.desk.events(eva).count("agent.renamed") == 1
    (hooked,) = [one for one in local.messages() if one["event"] == "agent.renamed"]
    assert hooked["agent"] == agent.id
    assert "billing" not in json.dumps(hooked)


def test_who_approved_an_agent_is_told_its_former_name(local, agent, person, agents):
    """The newest that they know, until they approve it under the new one."""

    def said():
        shown = json.loads(agent.asked_payment()[1].display)["unusual"]
        return [one["text"] for one in shown if one["code"] == "renamed_agent"]

    person.approve(agent.asked_payment()[1].id)
    for name in ("weather-helper", "payroll"):
        local.clock.forward(MINUTE)
        agents.update(agent.id, AgentChanges(name=name), by=BY)
    (text,) = said()
    assert text.startswith("payroll had another name when you last approved one of its requests")
    assert text.endswith(": invoice-bot, until 9 October 2025.")
    person.approve(agent.asked_payment()[1].id)
    assert said() == []


def test_the_first_request_under_a_new_name_is_a_first_one(local, agent, person, agents):
    """For each person whom it asks, whatever it asked before."""
    first = agent.asked_payment()[1]
    person.approve(first.id)
    local.clock.forward(MINUTE)
    assert (_first(first), _first(agent.asked_payment()[1])) == (True, False)
    local.clock.forward(MINUTE)
    agents.update(agent.id, AgentChanges(name="payroll"), by=BY)
    local.clock.forward(MINUTE)
    assert _first(agent.asked_payment()[1])
    local.clock.forward(MINUTE)
    assert not _first(agent.asked_payment()[1])
