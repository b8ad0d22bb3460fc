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
    """The amount of a payment is typed back."""
    document = json.dumps({**PAYMENT, "type_back": {"fact": "/amount"}})
    ActionTypes(server.services.store).update(document, by=BY)


def _asked(agent: Agent, person: Terminal) -> tuple[str, Approval]:
    answer = agent.ask_payment(person.user)
    assert answer.status_code == 200, answer.text
    return answer.json()["auth_req_id"], person.only()


def _approve(server: LiveServer, person: Terminal, asked: Approval, *flags: str) -> Done:
    approve = ("approve", asked.id, "--fingerprint", asked.fingerprint, "--pin-stdin", "--json")
    environment = {**server.environment, "SAYSO_APPROVER_HOME": str(person.home)}
    return command("approver_tui", *approve, *flags, environment=environment, stdin=PIN)


def test_a_fact_is_typed_back_from_a_shell(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """A missing one names its flag, a superfluous one is a usage error, a wrong one is counted."""
    handle, asked = _asked(agent, person)
    missing = _approve(server, person, asked)
    assert missing.returncode == 5
    assert '"Amount" as you read it: --fact.' in json.loads(missing.stderr)["detail"]
    too_many = _approve(server, person, asked, "--fact", RIGHT, "--match", "111")
    assert too_many.returncode == 2
    assert "--match" in json.loads(too_many.stderr)["detail"]
    wrong = _approve(server, person, asked, "--fact", "4821")
    assert wrong.returncode == 5
    error = json.loads(wrong.stderr)
    assert (error["error"], error["step"], error["left"]) == ("wrong_entry", "type_back", 1)
    done = _approve(server, person, asked, "--fact", RIGHT, "--reason", "On the list.")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ceremony"] == "pin+type_back"
    assert agent.poll(handle).json()["scope"] == "openid payments:transfer"


def test_a_second_wrong_type_back_locks_the_request_and_informs_the_agent(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The first wrong one comes from the terminal's API, and the second from a shell."""
    handle, asked = _asked(agent, person)
    known = {"fingerprint": asked.fingerprint, "pin": PIN}
    with pytest.raises(EntryNeeded):
        person.decider.approve(asked, **known)
    with pytest.raises(WrongEntry) as wrong:
        person.decider.approve(asked, **known, entries=Entries(fact="1"))
    assert wrong.value.left == 1
    with pytest.raises(RequestLocked):
        person.decider.approve(asked, **known, entries=Entries(fact="2"))
    reply = agent.poll(handle).json()
    assert (reply["error"], reply["reason"]) == ("access_denied", "locked")
    late = _approve(server, person, asked, "--fact", RIGHT)
    assert late.returncode == 15
    assert person.client.approval(asked.id).was_locked


def test_a_match_number_is_typed_from_the_agents_screen(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The agent gets it with its acknowledgement, and the user types it."""
    Agents(server.services.store, server.services.secrets).update(
        agent.key.id, AgentChanges(interactive=True), by=BY
    )
    answer = agent.ask_payment(person.user).json()
    asked = person.only()
    assert answer["match_code"] not in asked.display_text.replace(asked.id, "")
    flags = ("--fact", RIGHT, "--match", answer["match_code"])
    done = _approve(server, person, asked, *flags)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ceremony"] == "match+pin+type_back"
    assert (
        PAYMENT_DETAILS[0]["type"]
        == agent.poll(answer["auth_req_id"]).json()["authorization_details"][0]["type"]
    )
