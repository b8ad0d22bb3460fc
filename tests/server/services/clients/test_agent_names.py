"""Renaming an agent: approvers see the former name, and its next request counts as its first."""

import json

import pytest

from server.model.clients import FormerName
from server.services.clients.agent_forms import AgentChanges
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY


@pytest.fixture
def agents(local):
    """The administration of agents."""
    return local.admin.agents


def _is_first_request(approval):
    return json.loads(approval.display)["agent"]["first_request"]


def test_the_time_of_naming_changes_only_with_a_new_name(local, agent, agents):
    """Other changes, and setting the same name again, do not change the time."""
    original = agents.show(agent.id)[0]
    assert original.named_at == original.created_at
    local.clock.forward(DAY)
    agents.update(agent.id, AgentChanges(description="Pays", name="invoice-bot"), by=BY)
    assert agents.show(agent.id)[0].named_at == original.created_at
    renamed = agents.update(agent.id, AgentChanges(name="billing-bot"), by=BY)
    assert renamed == agents.show(agent.id)[0]
    assert renamed.named_at == local.clock.now()


def test_former_names_are_kept_with_the_end_of_their_use(local, agent, agents):
    """Former names are listed newest first, and are deleted with the agent."""
    ends = []
    for name in ("billing-bot", "invoice-bot", "Invoice-Bot"):
        local.clock.forward(DAY)
        ends.append(local.clock.now())
        agents.update(agent.id, AgentChanges(name=name), by=BY)
    with local.admin.store.read() as view:
        assert view.names.former(agent.id) == [
            FormerName("invoice-bot", ends[2]),
            FormerName("billing-bot", ends[1]),
            FormerName("invoice-bot", ends[0]),
        ]
    agents.delete(agent.id, by=BY)
    with local.admin.store.read() as view:
        assert view.names.former(agent.id) == []


def test_renaming_writes_one_entry_and_notifies_the_owners(local, agent, agents):
    """The audit log has both names; the webhook message has neither."""
    eva = new_person(local, "eva").user
    agents.update(agent.id, AgentChanges(add_owners=("eva",)), by=BY)
    for _ in range(2):
        agents.update(agent.id, AgentChanges(name="billing-bot"), by=BY)
    (entry,) = local.admin.entries("agent.renamed")
    assert entry["agent_id"] == agent.id
    assert entry["facts"] == {"name": "billing-bot", "was": "invoice-bot"}
    assert local.admin.events(eva).count("agent.renamed") == 1
    (webhook_message,) = [
        message for message in local.messages() if message["event"] == "agent.renamed"
    ]
    assert webhook_message["agent"] == agent.id
    assert "billing" not in json.dumps(webhook_message)


def test_approvers_are_shown_the_former_name_of_an_agent(local, agent, person, agents):
    """Approvers see the latest name they know, until they approve a request under the new name."""

    def renamed_texts():
        warnings = json.loads(agent.request_payment()[1].display)["unusual"]
        return [warning["text"] for warning in warnings if warning["code"] == "renamed_agent"]

    person.approve(agent.request_payment()[1].id)
    for name in ("weather-helper", "payroll"):
        local.clock.forward(MINUTE)
        agents.update(agent.id, AgentChanges(name=name), by=BY)
    (text,) = renamed_texts()
    assert text.startswith(
        "payroll had a different name when you last approved one of its requests"
    )
    assert text.endswith(": invoice-bot, until 9 October 2025.")
    person.approve(agent.request_payment()[1].id)
    assert renamed_texts() == []


def test_the_first_request_under_a_new_name_is_marked_as_first(local, agent, person, agents):
    """After a rename, the mark appears again, even if the agent asked this person before."""
    first = agent.request_payment()[1]
    person.approve(first.id)
    local.clock.forward(MINUTE)
    assert (_is_first_request(first), _is_first_request(agent.request_payment()[1])) == (
        True,
        False,
    )
    local.clock.forward(MINUTE)
    agents.update(agent.id, AgentChanges(name="payroll"), by=BY)
    local.clock.forward(MINUTE)
    assert _is_first_request(agent.request_payment()[1])
    local.clock.forward(MINUTE)
    assert not _is_first_request(agent.request_payment()[1])
