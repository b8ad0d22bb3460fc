"""Chains of agents acting for one user: narrower at each step, revoked as a whole."""

import json
from collections.abc import Iterator

import httpx
import pytest

from server.protocol.policy.risks import Risk
from server.services.approvals.creation import approval_creator
from server.services.clients.agents import Agents
from server.services.consents.consents import ConsentService
from tests.support.builders.installation import PAY
from tests.support.builders.token_chains import BANK, DESK, LiveChains
from tests.support.clients.agent import PAYMENT_DETAILS, Agent
from tests.support.clients.simultaneous import post, volley
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import BY, AgentKey, LiveServer

RESEARCH = "https://research.example"


@pytest.fixture(scope="module")
def apis(server: LiveServer) -> None:
    """Adds three resources: a support desk, a research agent's API and a bank."""
    with server.client() as http:
        LiveChains(server, http, "").prepare()
    server.resources.add(RESEARCH, {"research:use": Risk.LOW}, {}, by=BY)


@pytest.fixture
def chains(server: LiveServer, person: Terminal, apis: None) -> Iterator[LiveChains]:
    """Token chains that begin with this test's user, who uses a chat app."""
    assert apis is None
    with server.client() as http:
        yield LiveChains(server, http, person.client.profile.user_id)


@pytest.fixture
def desk_bot(chains: LiveChains) -> AgentKey:
    """The agent behind the chat: it may call the research agent and read at the bank."""
    agent = chains.agent(
        resources=(DESK, RESEARCH, BANK),
        scopes=("desk:use", "research:use", "bank:read", "bank:write"),
    )
    chains.consent(agent, "research:use", resource=RESEARCH)
    return agent


@pytest.fixture
def research_bot(chains: LiveChains) -> AgentKey:
    """The agent that the agent behind the chat calls."""
    return chains.agent(
        serves=(RESEARCH,), resources=(RESEARCH, BANK), scopes=("research:use", "bank:read")
    )


def _call_token(chains: LiveChains, desk_bot: AgentKey, token: str) -> str:
    """Returns the token with which the first agent calls the second."""
    return chains.exchanged(desk_bot, token, resource=RESEARCH, scope="research:use")


def test_a_chain_depends_on_the_consent_to_the_first_agent(
    chains: LiveChains, desk_bot: AgentKey, research_bot: AgentKey
) -> None:
    """The second agent gets only scopes that both agents have. The token names both agents."""
    chains.consent(desk_bot, "bank:read", "bank:write")
    token = chains.user_token()
    call = _call_token(chains, desk_bot, token)
    body = chains.exchange(research_bot, call, scope="bank:read bank:write").json()
    claims = chains.claims(body["access_token"])
    assert (claims["sub"], claims["aud"], claims["scope"]) == (chains.user_id, BANK, "bank:read")
    assert claims["act"]["sub"] == research_bot.id
    assert claims["act"]["act"]["sub"] == desk_bot.id
    assert claims["exp"] <= chains.claims(call)["exp"] <= chains.claims(token)["exp"]


@pytest.mark.parametrize("ended", ["token", "consent", "first agent", "middle token"])
def test_one_revocation_revokes_the_whole_chain(
    server: LiveServer,
    chains: LiveChains,
    desk_bot: AgentKey,
    research_bot: AgentKey,
    ended: str,
) -> None:
    """Introspection and the next exchange show the revocation immediately."""
    consent = chains.consent(desk_bot, "bank:read")
    token = chains.user_token()
    call = _call_token(chains, desk_bot, token)
    last = chains.exchanged(research_bot, call)
    assert _is_active(chains, research_bot, last)
    services = server.services
    if ended == "token":
        assert chains.revoke(token) == 3
    elif ended == "middle token":
        assert chains.revoke(call) == 2
    elif ended == "consent":
        opens = approval_creator(services.secrets, services.server_policy)
        consents = ConsentService(services.store, services.secrets, services.server_policy, opens)
        consents.revoke(consent, by=BY)
    else:
        Agents(services.store, services.secrets).disable(desk_bot.name, by=BY)
    assert not _is_active(chains, research_bot, last)
    assert chains.exchange(research_bot, call).status_code == 400


def _is_active(chains: LiveChains, agent: AgentKey, token: str) -> bool:
    answer = chains.http.post("/introspect", data={"token": token}, auth=agent.basic)
    active: bool = answer.json()["active"]
    return active


def test_a_signed_payment_can_be_passed_down_the_chain(
    chains: LiveChains, person: Terminal
) -> None:
    """A second agent may execute the payment that the user signed, and no other one."""
    front = Agent(chains.agent(resources=(PAY,), scopes=("payments:transfer",)), chains.http)
    payer = chains.agent(serves=(PAY,), resources=(PAY,), scopes=("payments:transfer",))
    handle = front.ask_payment(person.user).json()["auth_req_id"]
    person.approve(person.only_request())
    token = front.poll(handle).json()["access_token"]
    target = {"resource": PAY, "scope": "payments:transfer"}
    details = json.dumps(PAYMENT_DETAILS)
    body = chains.exchange(payer, token, **target, authorization_details=details).json()
    claims = chains.claims(body["access_token"])
    assert claims["authorization_details"] == PAYMENT_DETAILS
    assert claims["approval"] == chains.claims(token)["approval"]
    other = json.dumps([{**PAYMENT_DETAILS[0], "payee": "Southwind"}])
    refused = chains.exchange(payer, token, **target, authorization_details=other)
    assert refused.json()["error"] == "interaction_required"
    assert refused.json()["login_hint_token"]


def test_concurrent_exchanges_and_a_revocation_leave_no_live_token(
    server: LiveServer, chains: LiveChains, desk_bot: AgentKey
) -> None:
    """Six exchanges succeed before the revocation and none after it; all six are revoked."""
    chains.consent(desk_bot, "bank:read")
    token = chains.user_token()
    jti = chains.claims(token)["jti"]
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "resource": BANK,
        "scope": "bank:read",
    }
    requests = [post("/token", desk_bot, form) for _ in range(12)]
    answers = volley(server.port, requests[:6])
    assert chains.revoke(token) >= 1
    answers += volley(server.port, requests[6:])
    tokens = [answer.json()["access_token"] for answer in answers if answer.status == 200]
    assert len(tokens) == 6
    assert all(not _is_active(chains, desk_bot, issued) for issued in tokens)
    with server.services.store.read() as view:
        rows = view.delegations.descendants(jti)
    assert len(rows) == 6
    assert all(row.revoked_at is not None for row in rows)


def test_a_killed_server_has_recorded_every_token_it_issued(
    server: LiveServer, chains: LiveChains, desk_bot: AgentKey
) -> None:
    """After a kill, the restarted server still accepts the token and can revoke it."""
    chains.consent(desk_bot, "bank:read")
    token = chains.user_token()
    exchanged = chains.exchanged(desk_bot, token)
    server.kill()
    server.start()
    with server.client() as http:
        restarted = LiveChains(server, http, chains.user_id)
        assert _is_active(restarted, desk_bot, exchanged)
        assert restarted.revoke(token) == 2
        assert not _is_active(restarted, desk_bot, exchanged)


def test_an_exchange_without_consent_succeeds_after_consent(
    chains: LiveChains, desk_bot: AgentKey
) -> None:
    """The exchange is refused with interaction_required until the user has consented."""
    token = chains.user_token()
    refused = chains.exchange(desk_bot, token)
    assert refused.status_code == httpx.codes.BAD_REQUEST
    assert refused.json()["error"] == "interaction_required"
    chains.consent(desk_bot, "bank:read")
    assert chains.exchange(desk_bot, token).status_code == httpx.codes.OK


def test_the_login_hint_of_an_exchange_leads_to_a_token_in_the_chain(
    chains: LiveChains, person: Terminal, desk_bot: AgentKey, research_bot: AgentKey
) -> None:
    """The hint works once. Revoking the parent token revokes the token that the user approved."""
    call = _call_token(chains, desk_bot, chains.user_token())
    refused = chains.exchange(research_bot, call, resource=BANK, scope="bank:read").json()
    assert refused["error"] == "interaction_required"
    form = {"scope": "openid", "login_hint_token": refused["login_hint_token"]}
    acknowledged = chains.http.post("/bc-authorize", data=form, auth=research_bot.basic)
    assert acknowledged.status_code == httpx.codes.OK, acknowledged.text
    again = chains.http.post("/bc-authorize", data=form, auth=research_bot.basic)
    assert again.json()["error"] == "invalid_request"
    request = acknowledged.json()
    (approval,) = (a for a in person.waiting() if a.fingerprint == request["fingerprint"])
    person.approve(approval)
    token = Agent(research_bot, chains.http).poll(request["auth_req_id"]).json()["access_token"]
    claims = chains.claims(token)
    assert (claims["sub"], claims["aud"], claims["scope"]) == (chains.user_id, BANK, "bank:read")
    assert claims["act"]["sub"] == research_bot.id
    assert claims["act"]["act"]["sub"] == desk_bot.id
    assert claims["approval"]["id"] == approval.id
    chains.revoke(call)
    assert not _is_active(chains, research_bot, token)
