"""Who is refused over and over fills no log, and nothing of it is silent."""

import pytest

from server.protocol.policy.risks import Risk
from server.services.audit import floods
from server.services.resources.resources import ResourceChanges
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY
from tests.support.builders.token_chains import Chains

MANY = floods.MAX_FULL_ENTRIES + 7


@pytest.fixture
def chains(local, person):
    """Ana, who uses a chat app, and two APIs."""
    chains = Chains(local, person.user.id)
    chains.prepare()
    return chains


@pytest.fixture
def bot(chains):
    """An agent that serves the desk, with no consent."""
    return chains.agent("desk-bot")


def _told(local):
    entries = local.desk.entries("refusals.counted")
    return [(entry["agent_id"], entry["cause"], entry["facts"]["count"]) for entry in entries]


def test_the_first_refusals_of_a_minute_are_whole_and_the_rest_is_a_number(chains, bot, local):
    """Each reason has its own; whoever reads the log learns how many, by whom and since when."""
    token, began = chains.user_token(), local.clock.now()
    for _ in range(MANY):
        assert chains.exchange(bot, token).status == 400
    for _ in range(3):
        assert chains.exchange(bot, token, scope="none:such").status == 400
    assert len(chains.reasons()) == floods.MAX_FULL_ENTRIES
    assert _told(local) == []
    local.clock.forward(MINUTE)
    local.services.sweeper.tidy()
    assert _told(local) == [(bot.id, "consent_missing", 7), (bot.id, "scope_beyond", 3)]
    told = local.desk.entries("refusals.counted")[0]
    assert told["actor"] == f"agent:{bot.id}"
    assert told["decision"] == "refused"
    window = {"since": began, "until": began + MINUTE}
    assert told["facts"] == {"of": "exchange.refused", "count": 7, **window}
    local.services.sweeper.tidy()
    assert len(_told(local)) == 2


def test_a_flood_that_goes_on_is_told_each_minute(chains, bot, local):
    """Also when nothing tidies up in between: no count is lost with its window."""
    token = chains.user_token()
    for _ in range(2):
        for _ in range(MANY):
            chains.exchange(bot, token)
        local.clock.forward(MINUTE)
    assert _told(local) == [(bot.id, "consent_missing", 7)]
    local.services.sweeper.tidy()
    assert _told(local) == [(bot.id, "consent_missing", 7)] * 2
    assert len(chains.reasons()) == 2 * floods.MAX_FULL_ENTRIES


def test_nobody_fills_the_log_for_another(chains, bot, local):
    """The count is the agent's own; what is said to it stays the same."""
    token = chains.user_token()
    answers = [chains.exchange(bot, token) for _ in range(MANY)]
    assert {answer.json["error"] for answer in answers} == {"interaction_required"}
    other = chains.agent("other-bot")
    chains.exchange(other, token)
    assert [e["agent_id"] for e in local.desk.entries("exchange.refused")][-1] == other.id


def test_requests_that_are_refused_are_counted_alike(agent, local):
    """An agent that asks the only administrator for what needs two people, all day."""
    raised = ResourceChanges(scopes={"payments:transfer": Risk.CRITICAL})
    local.desk.resources.update(PAY, raised, by=BY)
    for _ in range(MANY):
        assert agent.ask(scope="openid payments:transfer", login_hint="admin").refusal == (
            403,
            "access_denied",
        )
    assert len(local.desk.entries("approval.refused")) == floods.MAX_FULL_ENTRIES
    local.clock.forward(MINUTE)
    local.services.sweeper.tidy()
    assert _told(local) == [(agent.id, "too_few_people", 7)]
