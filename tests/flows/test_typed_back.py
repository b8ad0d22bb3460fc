"""Type-back and match number, from the command line to the agent."""

import json

import pytest

from approver_tui.client.errors import EntryNeeded, RequestLocked, WrongEntry
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.ceremony import Entries
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.agents import Agents
from server.services.policy.action_types import ActionTypes
from tests.support.builders.installation import PAYMENT
from tests.support.clients.agent import PAYMENT_DETAILS, Agent
from tests.support.clients.terminal import PIN, Terminal
from tests.support.inputs.commands import Done, command
from tests.support.servers.server import BY, LiveServer

RIGHT = "4820"


@pytest.fixture(autouse=True)
def typed_back(server: LiveServer) -> None:
    """Requires the amount of a payment to be typed back."""
    document = json.dumps({**PAYMENT, "type_back": {"fact": "/amount"}})
    ActionTypes(server.services.store).update(document, by=BY)


def _ask_payment(agent: Agent, person: Terminal) -> tuple[str, Approval]:
    answer = agent.ask_payment(person.user)
    assert answer.status_code == 200, answer.text
    return answer.json()["auth_req_id"], person.only_request()


def _approve(server: LiveServer, person: Terminal, asked: Approval, *flags: str) -> Done:
    approve = ("approve", asked.id, "--fingerprint", asked.fingerprint, "--pin-stdin", "--json")
    environment = {**server.environment, "SAYSO_APPROVER_HOME": str(person.home)}
    return command("approver_tui", *approve, *flags, environment=environment, stdin=PIN)


def test_a_fact_is_typed_back_from_a_shell(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """A missing fact is named with its flag, and a wrong one is counted."""
    handle, pending = _ask_payment(agent, person)
    missing = _approve(server, person, pending)
    assert missing.returncode == 5
    assert 'the value of "Amount". Use --fact.' in json.loads(missing.stderr)["detail"]
    too_many = _approve(server, person, pending, "--fact", RIGHT, "--match", "111")
    assert too_many.returncode == 2
    assert "--match" in json.loads(too_many.stderr)["detail"]
    wrong = _approve(server, person, pending, "--fact", "4821")
    assert wrong.returncode == 5
    error = json.loads(wrong.stderr)
    assert (error["error"], error["step"], error["left"]) == ("wrong_entry", "type_back", 1)
    device = person.client.me().device
    assert device is not None
    assert device.pin.tries == 0  # the PIN was right
    approved = _approve(server, person, pending, "--fact", RIGHT, "--reason", "On the list.")
    assert approved.returncode == 0, approved.stderr
    assert json.loads(approved.stdout)["ceremony"] == "pin+type_back"
    assert agent.poll(handle).json()["scope"] == "openid payments:transfer"


def test_a_second_wrong_type_back_locks_the_request_and_informs_the_agent(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """After two wrong type-backs the right one is refused too, and the agent gets reason locked."""
    handle, pending = _ask_payment(agent, person)
    terms = {"fingerprint": pending.fingerprint, "pin": PIN}
    with pytest.raises(EntryNeeded):
        person.decider.approve(pending, **terms)
    with pytest.raises(WrongEntry) as wrong:
        person.decider.approve(pending, **terms, entries=Entries(fact="1"))
    assert wrong.value.left == 1
    with pytest.raises(RequestLocked):
        person.decider.approve(pending, **terms, entries=Entries(fact="2"))
    reply = agent.poll(handle).json()
    assert (reply["error"], reply["reason"]) == ("access_denied", "locked")
    late = _approve(server, person, pending, "--fact", RIGHT)
    assert late.returncode == 15
    assert person.client.approval(pending.id).was_locked


def test_a_match_number_is_typed_from_the_agents_screen(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Only the agent gets the number. The user, whose screen does not show it, types it."""
    Agents(server.services.store, server.services.secrets).update(
        agent.key.id, AgentChanges(interactive=True), by=BY
    )
    answer = agent.ask_payment(person.user).json()
    pending = person.only_request()
    assert answer["match_code"] not in pending.display_text.replace(pending.id, "")
    flags = ("--fact", RIGHT, "--match", answer["match_code"])
    approved = _approve(server, person, pending, *flags)
    assert approved.returncode == 0, approved.stderr
    assert json.loads(approved.stdout)["ceremony"] == "match+pin+type_back"
    assert (
        PAYMENT_DETAILS[0]["type"]
        == agent.poll(answer["auth_req_id"]).json()["authorization_details"][0]["type"]
    )
