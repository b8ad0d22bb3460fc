"""An administrator calls agents by labels, so that a rule can be about several."""

import pytest

from server.services.clients import labels
from server.services.clients.agent_forms import AgentChanges
from server.services.refusals import Invalid
from tests.support.builders.installation import BY, admitted, registered


def test_labels_are_words_and_pairs_sorted_each_once():
    """The order in which they were written says nothing."""
    assert labels.read(["team=finance", "pilot", "pilot"]) == ("pilot", "team=finance")


@pytest.mark.parametrize(
    "label",
    ["", "Pilot", "=x", "team=", "two words", "a" * 64, "team=a\nb", "team=*", "tëam", "a=b=c"],
)
def test_what_is_no_label_is_refused_with_what_one_is(label):
    """A rule that matches it could not be written."""
    with pytest.raises(Invalid, match="Use a word or key=value"):
        labels.read([label])


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        (["team=a", "team=b"], "one value"),
        (["team", "team=b"], "one value"),
        ([f"label{n}" for n in range(21)], "at most 20"),
    ],
)
def test_an_agent_has_few_labels_and_one_value_for_each_key(given, remedy):
    """Two answers to one question are none."""
    with pytest.raises(Invalid, match=remedy):
        labels.read(given)


def test_labels_come_change_and_go(desk):
    """What is not named stays; the log tells every change."""
    admitted(desk)
    assert registered(desk, labels=("team=finance",)).agent.labels == ("team=finance",)
    for changes, left in (
        (AgentChanges(description="Pays"), ("team=finance",)),
        (AgentChanges(labels=("pilot", "a=b")), ("a=b", "pilot")),
        (AgentChanges(labels=()), ()),
    ):
        assert desk.agents.update("invoice-bot", changes, by=BY).labels == left
        assert desk.agents.show("invoice-bot")[0].labels == left
        assert desk.entries("agent.updated")[-1]["facts"]["labels"] == list(left)
