"""Repeated refusals do not fill the audit log: the first ones get entries, the rest are counted."""

import pytest

from server.protocol.policy.risks import Risk
from server.services.audit import floods
from server.services.resources.resources import ResourceChanges
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY

REFUSALS = floods.MAX_FULL_ENTRIES + 7


@pytest.fixture
def bot(chains):
    """An agent that serves the desk API and has no consent."""
    return chains.agent("desk-bot")


def _list_counts(local):
    entries = local.admin.entries("refusals.counted")
    return [(entry["agent_id"], entry["cause"], entry["facts"]["count"]) for entry in entries]


def test_the_first_refusals_in_a_minute_get_entries_and_the_rest_are_counted(chains, bot, local):
    """Each reason has its own count, with the agent, the number and the time window."""
    token, started_at = chains.user_token(), local.clock.now()
    for _ in range(REFUSALS):
        assert chains.exchange(bot, token).status == 400
    for _ in range(3):
        assert chains.exchange(bot, token, scope="none:such").status == 400
    assert len(chains.reasons()) == floods.MAX_FULL_ENTRIES
    assert _list_counts(local) == []
    local.clock.forward(MINUTE)
    local.services.sweeper.tidy()
    assert _list_counts(local) == [(bot.id, "consent_missing", 7), (bot.id, "scope_beyond", 3)]
    entry = local.admin.entries("refusals.counted")[0]
    assert entry["actor"] == f"agent:{bot.id}"
    assert entry["decision"] == "refused"
    window = {"since": started_at, "until": started_at + MINUTE}
    assert entry["facts"] == {"of": "exchange.refused", "count": 7, **window}
    local.services.sweeper.tidy()
    assert len(_list_counts(local)) == 2


def test_an_ongoing_flood_is_counted_each_minute(chains, bot, local):
    """The count is written when the next window begins or at the next cleanup."""
    token = chains.user_token()
    for _ in range(2):
        for _ in range(REFUSALS):
            chains.exchange(bot, token)
        local.clock.forward(MINUTE)
    assert _list_counts(local) == [(bot.id, "consent_missing", 7)]
    local.services.sweeper.tidy()
    assert _list_counts(local) == [(bot.id, "consent_missing", 7)] * 2
    assert len(chains.reasons()) == 2 * floods.MAX_FULL_ENTRIES


def test_refusals_are_counted_separately_for_each_agent(chains, bot, local):
    """A flooding agent always gets the same error, and other agents still get entries."""
    token = chains.user_token()
    answers = [chains.exchange(bot, token) for _ in range(REFUSALS)]
    assert {answer.json["error"] for answer in answers} == {"interaction_required"}
    other = chains.agent("other-bot")
    chains.exchange(other, token)
    assert [entry["agent_id"] for entry in local.admin.entries("exchange.refused")][-1] == other.id


def test_refused_requests_are_counted_too(agent, local):
    """For example, a request with too few eligible approvers is counted."""
    raised = ResourceChanges(scopes={"payments:transfer": Risk.CRITICAL})
    local.admin.resources.update(PAY, raised, by=BY)
    for _ in range(REFUSALS):
        assert agent.ask(scope="openid payments:transfer", login_hint="admin").refusal == (
            403,
            "access_denied",
        )
    assert len(local.admin.entries("approval.refused")) == floods.MAX_FULL_ENTRIES
    local.clock.forward(MINUTE)
    local.services.sweeper.tidy()
    assert _list_counts(local) == [(agent.id, "too_few_people", 7)]
