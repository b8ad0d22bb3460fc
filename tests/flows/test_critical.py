"""A critical request from beginning to end: two approvers and every ceremony."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from approver_tui.cli import lines
from approver_tui.client.errors import ApiError, EntryNeeded, RequestLocked, WrongEntry
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.ceremony import Entries, Step
from server.services.approvers.groups import Groups
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.agents import Agents
from server.services.policy.action_types import ActionTypes
from server.services.policy.policies import Policies
from tests.support.builders.installation import PAYMENT
from tests.support.builders.policies import rule
from tests.support.checks.log_and_rows import entries
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import PIN, Terminal, new_person
from tests.support.servers.server import BY, LiveServer

AMOUNT = "4820"
WHY = "It is on the list of November."


@pytest.fixture
def others(server: LiveServer) -> Iterator[tuple[Terminal, Terminal]]:
    """Two more users, each at an enrolled terminal."""
    terminals = new_person(server), new_person(server)
    yield terminals
    for terminal in terminals:
        terminal.client.close()


@pytest.fixture(autouse=True)
def critical(
    server: LiveServer, agent: Agent, person: Terminal, others: tuple[Terminal, Terminal]
) -> None:
    """Payments are critical and need two approvers and a type-back; the agent is interactive."""
    store, secrets = server.services.store, server.services.secrets
    document = {**PAYMENT, "risk": "critical", "type_back": {"fact": "/amount"}}
    ActionTypes(store).update(json.dumps(document), by=BY)
    Agents(store, secrets).update(agent.key.id, AgentChanges(interactive=True), by=BY)
    Groups(store, secrets).add("board", [terminal.user for terminal in (person, *others)], by=BY)
    Policies(store).set(rule("ask", "ask.quorum = 2", 'ask.who = ["board"]'), by=BY)


def test_two_approvers_complete_every_ceremony_although_a_third_is_locked(
    server: LiveServer, agent: Agent, person: Terminal, others: tuple[Terminal, Terminal]
) -> None:
    """Each approver must complete every ceremony, and both votes are in the audit log."""
    request = agent.ask_payment(person.user).json()
    number, (first, second) = request["match_code"], others
    right = Entries(fact=AMOUNT, match=number, reason=WHY)
    pending = [item.only_request() for item in (person, first, second)]

    assert {approval.risk for approval in pending} == {"critical"}
    assert {approval.steps for approval in pending} == {frozenset(Step)}
    for step, incomplete in (
        (Step.TYPE_BACK, Entries(match=number, reason=WHY)),
        (Step.MATCH, Entries(fact=AMOUNT, reason=WHY)),
        (Step.REASON, Entries(fact=AMOUNT, match=number)),
    ):
        with pytest.raises(EntryNeeded) as needed:
            _approve(first, incomplete)
        assert needed.value.step is step

    wrong = replace(right, fact="4821")
    with pytest.raises(WrongEntry):
        _approve(person, wrong)
    with pytest.raises(RequestLocked):
        _approve(person, wrong)
    locked = person.client.approval(pending[0].id)
    assert locked.is_locked
    assert "LOCKED:" in "\n".join(lines.approval_in_full(locked, person.client.now()))

    answer = _approve(first, right)
    assert (answer.state, answer.vote_tally and answer.vote_tally.progress) == (
        "pending",
        "1 of 2",
    )
    assert lines.outcome_lines(answer)[0].startswith(
        "Your approval was counted (1 of 2, needs board): "
    )
    with pytest.raises(ApiError) as again:
        first.deny(answer)
    assert again.value.code == "already_voted"

    text = "\n".join(lines.approval_in_full(second.only_request(), second.client.now()))
    assert text.index("Amount:") < text.index(WHY)
    assert _approve(second, right).state == "approved"
    server.clock.forward(6_000)
    token = agent.poll(request["auth_req_id"]).json()
    assert token["scope"] == "openid payments:transfer"
    decided = entries(server, "approval.voted", approval_id=pending[0].id)
    decided += entries(server, "approval.approved", approval_id=pending[0].id)
    assert [item["actor"] for item in decided] == [
        f"user:{item.client.profile.user_id}" for item in (first, second)
    ]


def _approve(who: Terminal, typed: Entries) -> Approval:
    """Approves the one pending request as its screen showed it."""
    pending = who.only_request()
    return who.decider.approve(pending, fingerprint=pending.fingerprint, pin=PIN, entries=typed)
