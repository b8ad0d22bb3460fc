"""Replays: past requests are evaluated again under other rules."""

import json
from dataclasses import replace

import pytest

from server.services.clients.agent_forms import AgentChanges
from server.services.operations import replays
from server.services.operations.replays import Replays
from server.services.policy.evaluation import Evaluator
from server.services.policy.policies import Policies
from server.services.refusals import Invalid
from tests.support.builders.installation import BY, PAY
from tests.support.builders.policies import rule
from tests.support.builders.token_chains import BANK
from tests.support.clients.agent import PAYMENT_DETAILS

DAY = 86_400_000
DENY_ALL = rule("deny", name="closed")


@pytest.fixture
def dry_run(local):
    """A function that replays the requests of the last days."""

    def run(rules=None, days=7):
        return Replays(local.services.store, Evaluator(local.services.secrets)).replay(
            days * DAY, rules
        )

    return run


def test_a_replay_covers_every_policy_decision(chains, agent, person, dry_run, local):
    """Requests, exchanges and client credentials are covered, including refused ones."""
    bot = chains.agent("desk-bot")
    chains.consent(bot, "bank:read", "bank:close")
    agent.request_payment()
    agent.alone()
    agent.alone(scope="payments:transfer")
    chains.exchanged(bot, chains.user_token())
    chains.exchange(bot, chains.user_token(), scope="bank:close")
    replay = dry_run()
    assert (replay.evaluated, replay.skipped, replay.changed, replay.complete) == (5, 0, 0, True)
    assert replay.before == replay.after == {"ask": 3, "allow": 2}
    denied = dry_run(DENY_ALL)
    assert (denied.changed, denied.after, denied.source.version) == (5, {"deny": 5}, 1)
    changes = {(c.flow, c.agent, c.user, c.before, c.after) for c in denied.changes}
    assert changes == {
        ("request", "invoice-bot", "ana", "ask", "deny"),
        ("client_credentials", "invoice-bot", None, "allow", "deny"),
        ("client_credentials", "invoice-bot", None, "ask", "deny"),
        ("exchange", "desk-bot", "ana", "allow", "deny"),
        ("exchange", "desk-bot", "ana", "ask", "deny"),
    }
    assert {c.rules for c in denied.changes} == {("closed",)}
    assert person.device_id
    assert local.admin.entries("policy.set") == []


def test_denied_requests_are_replayed_too(chains, agent, dry_run, local):
    """The replay shows what milder rules would allow."""
    bot = chains.agent("desk-bot")
    chains.consent(bot, "bank:read")
    Policies(local.services.store).set(DENY_ALL, by=BY)
    agent.ask()
    agent.alone()
    chains.exchange(bot, chains.user_token())
    replay = dry_run(rule("allow", 'when.resource = ["*"]'))
    assert (replay.before, replay.after) == ({"deny": 3}, {"allow": 2, "ask": 1})
    assert {c.flow: c.after for c in replay.changes} == {
        "request": "ask",
        "client_credentials": "allow",
        "exchange": "allow",
    }


def test_each_request_is_replayed_with_its_time_and_history(agent, dry_run, local):
    """Requests that were made later do not count."""
    agent.request_approval()
    local.clock.forward(8 * DAY)
    for _ in range(3):
        agent.alone()
        local.clock.forward(60_000)
    replay = dry_run(
        rule("deny", 'when.count = { over = 2, within = "1h" }')
        + rule("allow", 'when.resource = ["*"]', name="else")
    )
    assert replay.after == {"allow": 2, "deny": 1}
    local.clock.forward(DAY)
    assert dry_run(days=1).evaluated == 0
    assert dry_run(days=2).evaluated == 3


def test_an_approval_used_by_an_exchange_still_counts_in_a_replay(chains, person, dry_run):
    """The approval does not count if the other rules require a stronger ceremony."""
    bot = chains.agent("desk-bot", serves=("https://desk.example", BANK))
    refused = chains.exchange(bot, chains.user_token())
    hint = refused.json["login_hint_token"]
    answer = bot.ask(login_hint=None, login_hint_token=hint, scope="openid", resource=None)
    person.approve(chains.local.approval_for(answer.json["auth_req_id"]).id)
    token = bot.poll(answer.json["auth_req_id"]).json["access_token"]
    chains.exchanged(bot, token)
    assert [c.flow for c in dry_run(rule("ask")).changes] == []
    stricter = dry_run(rule("ask", 'ask.ceremony = "pin"'))
    assert [(c.flow, c.after) for c in stricter.changes] == [("exchange", "ask")]


def test_decisions_that_policy_did_not_make_are_left_out(chains, agent, person, dry_run):
    """Consents, other refusals and tokens of approvals are not replayed."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    assert agent.poll(handle).status == 200
    agent.request_approval(scope="openid payments:transfer")
    chains.local.admin.approval(agent.id, person.user.id, kind="consent")
    bot = chains.agent("desk-bot")
    chains.exchange(bot, chains.user_token())
    chains.exchange(bot, chains.user_token(), scope="bank:unknown")
    replay = dry_run()
    assert (replay.evaluated, replay.before) == (2, {"ask": 2})


def test_an_approval_for_another_resource_does_not_count_in_a_replay(chains, person, dry_run):
    """A delegation needs an approval for its own resource."""
    bot = chains.agent("desk-bot", serves=("https://desk.example", BANK))
    chains.consent(bot, "desk:use", resource="https://desk.example")
    refused = chains.exchange(bot, chains.user_token())
    hint = refused.json["login_hint_token"]
    answer = bot.ask(login_hint=None, login_hint_token=hint, scope="openid", resource=None)
    person.approve(chains.local.approval_for(answer.json["auth_req_id"]).id)
    token = bot.poll(answer.json["auth_req_id"]).json["access_token"]
    with chains.local.services.store.write() as tx:
        row = chains.row(token)
        child = replace(row, id="t-child", parent_id=row.id, approval_id=None, resource=PAY)
        tx.delegations.add(replace(child, scope="", consent_id=None))
    chains.local.admin.agents.update(
        "desk-bot", AgentChanges(resources=("https://desk.example", BANK, PAY)), by=BY
    )
    assert [(c.id, c.after) for c in dry_run(rule("ask")).changes] == [("t-child", "ask")]


def test_requests_for_deleted_records_are_skipped_and_counted(chains, agent, dry_run, local):
    """The agent, its permission for a scope, or the action type may be gone."""
    agent.request_payment()
    agent.alone()
    local.admin.actions.delete("payment.transfer", by=BY)
    assert (dry_run().evaluated, dry_run().skipped) == (1, 1)
    local.admin.agents.update("invoice-bot", AgentChanges(scopes=("payments:transfer",)), by=BY)
    assert (dry_run().evaluated, dry_run().skipped) == (0, 2)
    local.admin.agents.delete("invoice-bot", by=BY)
    assert (dry_run().evaluated, dry_run().skipped) == (0, 1)
    assert chains.reasons() == []


def test_actions_are_replayed_with_their_amounts(agent, dry_run):
    """The amounts come from the stored requests."""
    agent.request_payment()
    agent.ask_payment(authorization_details=json.dumps([{**PAYMENT_DETAILS[0], "payee": "X"}]))
    line = 'when.amount = { currency = "EUR", over = 482000 }'
    assert dry_run(rule("deny", line)).changed == 0
    assert dry_run(rule("deny", line.replace("482000", "481999"))).changed == 2
    assert dry_run().changes == ()


def test_a_replay_is_paged_and_limited(agent, dry_run, monkeypatch):
    """A replay that reaches its limit is marked as incomplete."""
    monkeypatch.setattr(replays, "_PAGE_SIZE", 2)
    for _ in range(5):
        agent.alone()
        agent.request_approval()
        agent.alone(scope="payments:transfer")
    assert (dry_run().evaluated, dry_run().complete) == (15, True)
    monkeypatch.setattr(replays, "MAX_EVALUATED", 4)
    assert (dry_run().evaluated, dry_run().complete) == (4, False)


@pytest.mark.parametrize("days", [0, 32])
def test_a_replay_covers_one_to_31_days(dry_run, days):
    """A replay of fewer or more days is refused."""
    with pytest.raises(Invalid, match="at most 31d"):
        dry_run(days=days)
