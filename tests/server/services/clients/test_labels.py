"""Labels of agents, by which a policy rule can match several agents."""

import pytest

from server.services.clients import agent_checks
from server.services.clients.agent_forms import AgentChanges
from server.services.refusals import Invalid
from tests.support.builders.installation import BY, add_user, register_agent


def test_labels_are_sorted_and_unique():
    """Labels are words or key=value pairs; their order and duplicates do not matter."""
    labels = ["team=finance", "pilot", "pilot"]
    assert agent_checks.label_list(None, labels) == ("pilot", "team=finance")


@pytest.mark.parametrize(
    "label",
    ["", "Pilot", "=x", "team=", "two words", "a" * 64, "team=a\nb", "team=*", "tëam", "a=b=c"],
)
def test_an_invalid_label_is_refused_with_the_valid_form(label):
    """The error shows the valid form, because no rule could match an invalid label."""
    with pytest.raises(Invalid, match="Use a word or key=value"):
        agent_checks.label_list(None, [label])


@pytest.mark.parametrize(
    ("labels", "remedy"),
    [
        (["team=a", "team=b"], "one value"),
        (["team", "team=b"], "one value"),
        ([f"label{n}" for n in range(21)], "at most 20"),
    ],
)
def test_labels_are_limited_to_twenty_and_one_value_per_key(labels, remedy):
    """An agent has at most twenty labels; two values for one key would be ambiguous."""
    with pytest.raises(Invalid, match=remedy):
        agent_checks.label_list(None, labels)


def test_labels_are_set_kept_and_removed(admin_services):
    """An update of another member keeps the labels; the audit log has every change."""
    add_user(admin_services)
    assert register_agent(admin_services, labels=("team=finance",)).agent.labels == (
        "team=finance",
    )
    for changes, expected in (
        (AgentChanges(description="Pays"), ("team=finance",)),
        (AgentChanges(labels=("pilot", "a=b")), ("a=b", "pilot")),
        (AgentChanges(labels=()), ()),
    ):
        assert admin_services.agents.update("invoice-bot", changes, by=BY).labels == expected
        assert admin_services.agents.show("invoice-bot")[0].labels == expected
        assert admin_services.entries("agent.updated")[-1]["facts"]["labels"] == list(expected)
