"""What a person says beside an answer: to the agent, and for the record."""

import pytest

from server.protocol.approvals.states import State
from server.services.clients.agent_forms import AgentChanges
from tests.support.builders.callers import new_person
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY


def test_ask_someone_else_may_say_whom_and_the_agent_gets_a_hint(agent, person, local):
    """Somebody whom it may name; by any of their names, and it is told the one it may use."""
    bob = new_person(local, "bob")
    for called in ("bob", bob.user.id):
        handle, approval = agent.asked()
        answer = person.deny(approval.id, "ask_other", ask=called)
        assert answer.json["decided"]["ask"] == {"id": bob.user.id, "name": "bob"}
        told = agent.poll(handle).json
        assert (told["retry"], told["login_hint"]) == ("redirected", "bob")
        local.clock.forward(31 * MINUTE)
        person.refresh()
    other, plain = agent.asked()
    person.deny(plain.id, "ask_other")
    assert "login_hint" not in agent.poll(other).json


@pytest.mark.parametrize(
    ("code", "called"),
    [("too_broad", "bob"), ("ask_other", "ana"), ("ask_other", "nobody"), ("ask_other", "cleo")],
    ids=["another code", "oneself", "nobody", "not to be asked"],
)
def test_nobody_is_named_whom_the_agent_could_not_ask(agent, person, local, code, called):
    """Nothing is decided."""
    new_person(local, "bob")
    new_person(local, "cleo")
    local.desk.agents.update(agent.id, AgentChanges(asks=("ana", "bob")), by=BY)
    _, approval = agent.asked()
    refused = person.deny(approval.id, code, ask=called)
    assert refused.refusal == (422, "invalid_body")
    assert refused.json["detail"].startswith("/ask: ")
    assert local.stored(approval.id).state is State.PENDING


@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_a_private_note_is_for_the_record_and_no_agent_sees_it(agent, person, local, decision):
    """With a yes and with a no; in the log and on the screens of those who were asked."""
    handle, approval = agent.asked()
    code = {"code": "not_needed"} if decision == "deny" else {}
    ceremony = "none" if code else "confirm"
    jws = person.decision(approval.id, decision=decision, ceremony=ceremony, **code)
    answer = person.send_decision(approval.id, jws, private_note="Called them first.")
    assert answer.json["decided"]["private_note"] == "Called them first."
    (entry,) = local.desk.entries(f"approval.{answer.json['state']}")
    assert entry["facts"]["note"] == "Called them first."
    assert "Called them" not in str(agent.poll(handle).json)
    _, other = agent.asked()
    refused = person.send_decision(other.id, person.decision(other.id), private_note="bell \x07")
    assert refused.refusal == (422, "invalid_body")
