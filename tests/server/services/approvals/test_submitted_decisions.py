"""What a person can add to a decision, for the agent and for the audit log."""

import pytest

from server.protocol.approvals.states import State
from server.services.clients.agent_forms import AgentChanges
from tests.support.builders.callers import new_person
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY


def test_ask_other_may_name_a_person_as_a_login_hint(agent, person, local):
    """The approver may use any name of the person; the agent gets one that it may use."""
    bob = new_person(local, "bob")
    for called in ("bob", bob.user.id):
        handle, approval = agent.request_approval()
        answer = person.deny(approval.id, "ask_other", ask=called)
        assert answer.json["decided"]["ask"] == {"id": bob.user.id, "name": "bob"}
        polled = agent.poll(handle).json
        assert (polled["retry"], polled["login_hint"]) == ("redirected", "bob")
        local.clock.forward(31 * MINUTE)
        person.refresh()
    other, plain = agent.request_approval()
    person.deny(plain.id, "ask_other")
    assert "login_hint" not in agent.poll(other).json


@pytest.mark.parametrize(
    ("code", "called"),
    [("too_broad", "bob"), ("ask_other", "ana"), ("ask_other", "nobody"), ("ask_other", "cleo")],
    ids=["another code", "oneself", "nobody", "not to be asked"],
)
def test_ask_other_must_name_a_person_whom_the_agent_may_ask(agent, person, local, code, called):
    """An invalid person is refused, and the request stays pending."""
    new_person(local, "bob")
    new_person(local, "cleo")
    local.admin.agents.update(agent.id, AgentChanges(asks=("ana", "bob")), by=BY)
    _, approval = agent.request_approval()
    refused = person.deny(approval.id, code, ask=called)
    assert refused.refusal == (422, "invalid_body")
    assert refused.json["detail"].startswith("/ask: ")
    assert local.stored_approval(approval.id).state is State.PENDING


def test_a_note_is_stored_in_one_line(agent, person):
    """The pages and editors let people type line breaks, tabs and no-break spaces."""
    handle, approval = agent.request_approval()
    note = "Not now :\n\n\tthe audit\u00a0is on Monday.\n"
    assert person.deny(approval.id, note=note).status == 200
    assert agent.poll(handle).json["note"] == "Not now : the audit is on Monday."


@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_a_private_note_is_recorded_and_never_sent_to_the_agent(agent, person, local, decision):
    """Both approvals and denials may have a private note."""
    handle, approval = agent.request_approval()
    code = {"code": "not_needed"} if decision == "deny" else {}
    ceremony = "none" if code else "confirm"
    jws = person.decision(approval.id, decision=decision, ceremony=ceremony, **code)
    answer = person.send_decision(approval.id, jws, private_note="Called them first.")
    assert answer.json["decided"]["private_note"] == "Called them first."
    (entry,) = local.admin.entries(f"approval.{answer.json['state']}")
    assert entry["facts"]["note"] == "Called them first."
    assert "Called them" not in str(agent.poll(handle).json)
    _, other = agent.request_approval()
    refused = person.send_decision(other.id, person.decision(other.id), private_note="bell \x07")
    assert refused.refusal == (422, "invalid_body")
