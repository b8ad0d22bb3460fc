"""Rules that count an agent's tokens: tokens that are requested at the same time count each other.

On SQLite, there is one writer; these tests use PostgreSQL, where units of work run concurrently.
"""

import pytest

from server.protocol.names import GRANT_CIBA, GRANT_CLIENT_CREDENTIALS, GRANT_TOKEN_EXCHANGE
from server.services.policy.policies import Policies
from server.storage.policy.policy import Uses
from tests.support.builders.callers import new_person
from tests.support.builders.installation import BY
from tests.support.builders.policies import rule
from tests.support.builders.token_chains import BANK, Chains
from tests.support.checks.locks import run_during

ONE_TOKEN = "\n".join(
    (
        rule("allow", 'when.at = ["exchange", "client_credentials"]', name="usual"),
        rule("deny", 'when.count = { over = 1, within = "1h" }', name="one"),
    )
)


@pytest.fixture
def chains(postgres_local):
    """Two APIs and a user, Ana, on PostgreSQL. The policy allows each agent one token an hour."""
    chains = Chains(postgres_local, new_person(postgres_local, "ana").user.id)
    chains.prepare()
    Policies(postgres_local.services.store).set(ONE_TOKEN, by=BY)
    return chains


@pytest.fixture
def agent(chains):
    """An agent that can use every grant."""
    grants = GRANT_CIBA, GRANT_CLIENT_CREDENTIALS, GRANT_TOKEN_EXCHANGE
    agent = chains.agent("desk", grant_types=grants)
    chains.consent(agent, "bank:read")
    return agent


@pytest.fixture
def send_both(chains, monkeypatch):
    """Sends a second request once the first one has added its token; returns both answers.

    The second one began earlier, so its time is before that of the first token.
    """
    local, answers = chains.local, []

    def send(first, second):
        def send_second():
            local.clock.forward(-1)
            answers.append(second())

        other = run_during(monkeypatch, Uses, "add", local.services.store, send_second)
        answers.insert(0, first())
        other.join(20)
        return answers

    return send


def test_an_agent_that_requests_two_tokens_for_itself_gets_one(chains, agent, send_both):
    """Client credentials."""

    def request():
        form = {"grant_type": GRANT_CLIENT_CREDENTIALS, "scope": "bank:read", "resource": BANK}
        return chains.local.post_form("/token", {**form, **agent.credentials})

    first, second = send_both(request, request)
    assert first.status == 200
    assert second.refusal == (403, "access_denied")


def test_an_agent_that_exchanges_two_tokens_gets_one(chains, agent, send_both):
    """Token exchange, of two different tokens."""
    tokens = [chains.user_token(id=name) for name in ("one", "two")]
    first, second = send_both(*(lambda t=token: chains.exchange(agent, t) for token in tokens))
    assert first.status == 200
    assert second.refusal == (403, "access_denied")


def test_an_agent_that_polls_for_two_approvals_gets_one_token(chains, agent, send_both):
    """When the person decided, each request was within the limit."""
    local = chains.local
    person = new_person(local, "ben")
    request = {"scope": "openid bank:write", "resource": BANK, "login_hint": "ben"}
    requests = [agent.request_approval(**request) for _ in range(2)]
    for _, approval in requests:
        assert person.approve(approval.id).status == 200
    first, second = send_both(*(lambda h=handle: agent.poll(h) for handle, _ in requests))
    assert first.status == 200
    assert second.refusal == (400, "access_denied")
