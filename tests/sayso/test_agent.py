"""The SDK's agent against a real server and a real person's device."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from approver_tui.state.approvals.narrowing import Narrowing, read_change
from sayso import (
    Agent,
    Approved,
    Asked,
    AsyncAgent,
    Denied,
    Disabled,
    Expired,
    Refused,
    Undeliverable,
    Withdrawn,
)
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.services.approvals.oversight import Oversight
from server.services.clients.agents import Agents
from server.services.policy.action_types import ActionTypes
from tests.support.builders.clock import DAY
from tests.support.builders.installation import PAY
from tests.support.builders.installation import PAYMENT as PAYMENT_TYPE
from tests.support.checks.log_and_rows import story
from tests.support.checks.source import ROOT
from tests.support.checks.waiting import until
from tests.support.clients.kit import (
    PAYMENT,
    READ,
    TRANSFER,
    approved,
    begun,
    kit_agent,
    next_request,
)
from tests.support.clients.terminal import PIN, Terminal
from tests.support.inputs.handmade_jwts import new_key
from tests.support.servers.server import BY, AgentKey, LiveServer


def test_a_yes_is_the_token_what_was_granted_and_the_evidence(
    agent: Agent, person: Terminal
) -> None:
    """The receipt names the approval that the person saw, by the same fingerprint."""
    seen: list[Asked] = []
    with begun(agent.ask, person.user, PAYMENT, **TRANSFER, on_asked=seen.append) as result:
        request = next_request(person)
        person.approve(request)
        yes = result.result(30)
    assert yes.granted == (PAYMENT,)
    assert (yes.narrowed, yes.scope) == (False, {"openid", "payments:transfer"})
    assert (yes.receipt.approval, yes.receipt.fingerprint) == (request.id, request.fingerprint)
    assert [one.fingerprint for one in seen] == [request.fingerprint]
    assert yes.token not in repr(yes)


def test_a_no_has_its_code_and_the_note_of_the_person(agent: Agent, person: Terminal) -> None:
    """The error says what may be tried next."""
    with begun(agent.ask, person.user, PAYMENT, **TRANSFER) as result:
        person.deny(next_request(person), "wrong_details", "The account is closed.")
        with pytest.raises(Denied) as found:
            result.result(30)
    assert (found.value.code, found.value.retry) == ("wrong_details", "with_changes")
    assert found.value.note == "The account is closed."
    assert '"The account is closed."' in str(found.value)


def test_nobody_who_answers_is_not_a_no(server: LiveServer, agent: Agent, person: Terminal) -> None:
    """Seen by nobody until its time was over, or it reached nobody."""
    with begun(agent.ask, person.user, **READ) as result:
        next_request(person)
        server.clock.forward(DAY)
        with pytest.raises((Expired, Undeliverable), match="not a denial"):
            result.result(30)


def test_somebody_without_a_device_is_reached_by_nothing(server: LiveServer, agent: Agent) -> None:
    """The error says what is missing."""
    user, _ = server.user()
    before = _open(server)
    with begun(agent.ask, user, **READ) as result:
        until(lambda: _open(server) > before)
        server.clock.forward(DAY)
        with pytest.raises(Undeliverable, match="no device"):
            result.result(30)


def test_a_request_that_was_withdrawn_says_so(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """An administrator withdraws it while the agent waits."""
    with begun(agent.ask, person.user, **READ) as result:
        request = next_request(person)
        Oversight(server.services.store).cancel(request.id, "Stopped.", by=BY)
        with pytest.raises(Withdrawn) as found:
            result.result(30)
    assert found.value.code == "cancelled"


def test_an_agent_that_is_disabled_while_it_waits_hears_it(
    server: LiveServer, person: Terminal
) -> None:
    """The agent learns it at once, and again at its next request."""
    key = server.agent()
    with Agent(server.url, key.id, secret=key.secret) as agent:
        with begun(agent.ask, person.user, **READ) as result:
            next_request(person)
            Agents(server.services.store, server.services.secrets).disable(key.id, by=BY)
            with pytest.raises(Disabled, match="Stop"):
                result.result(30)
        with pytest.raises(Disabled):
            agent.ask(person.user, **READ)


def test_less_than_was_asked_is_said_to_be_less(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """`narrowed` says so, and `granted` is what is left."""
    document = json.dumps({**PAYMENT_TYPE, "narrow": {"/amount": "lower"}})
    ActionTypes(server.services.store).update(document, by=BY)
    with begun(agent.ask, person.user, PAYMENT, **TRANSFER) as result:
        request = next_request(person)
        part = person.decider.narrow(request, Narrowing((read_change("amount=500"),)))
        person.decider.approve(request, fingerprint=request.fingerprint, pin=PIN, granted=part)
        yes = result.result(30)
    assert yes.narrowed
    assert yes.granted[0]["amount"] == {"minor": 50_000, "currency": "EUR"}


def test_who_is_not_there_is_refused_with_the_remedy(agent: Agent) -> None:
    """Nobody was asked."""
    with pytest.raises(Refused, match="Check the user's name") as found:
        agent.ask("nobody-of-this-name", **READ)
    assert found.value.error == "unknown_user_id"


def test_a_fact_that_is_missing_is_named(agent: Agent, person: Terminal) -> None:
    """The error names the member and the type that requires it."""
    lacking = {name: value for name, value in PAYMENT.items() if name != "payee"}
    with pytest.raises(Refused, match=r"payee is required by payment\.transfer"):
        agent.ask(person.user, lacking, **TRANSFER)


def test_a_wrong_secret_is_refused_with_the_remedy(server: LiveServer) -> None:
    """The text names the two ways to authenticate."""
    key = server.agent()
    with Agent(server.url, key.id, secret="guess") as agent, pytest.raises(Refused) as found:
        agent.ask("ana", **READ)
    assert "a secret is client_secret_basic" in str(found.value)


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "RS256"])
@pytest.mark.parametrize("bound", [False, True])
def test_a_key_authenticates_and_a_bound_agent_proves_its_own(
    server: LiveServer, person: Terminal, *, alg: str, bound: bool
) -> None:
    """`private_key_jwt` for each kind of key; proofs are made because the server wants them."""
    key = new_key(alg)
    registered = server.agent(
        auth_method="private_key_jwt", jwks=json.dumps(key.jwk), dpop_bound=bound
    )
    with Agent(server.url, registered.id, key=key.private_jwk) as agent:
        yes: Approved = approved(person, agent.ask, person.user, **READ)
    flow = yes.auth.auth_flow(httpx.Request("GET", "https://pay.example/"))
    sent = next(flow)
    assert ("dpop" in sent.headers) is bound
    assert sent.headers["authorization"].startswith("DPoP " if bound else "Bearer ")


async def test_an_asynchronous_agent_does_the_same(server: LiveServer, person: Terminal) -> None:
    """The same rules by another driver."""
    key = server.agent()
    async with AsyncAgent(server.url, key.id, secret=key.secret) as agent:
        asked = asyncio.create_task(agent.ask(person.user, PAYMENT, **TRANSFER))
        request = await asyncio.to_thread(next_request, person)
        await asyncio.to_thread(person.approve, request)
        yes = await asked
    assert yes.granted == (PAYMENT,)


_PROGRAM = """
import sys
from sayso import Agent, NotApproved
issuer, client_id, secret, user, key = sys.argv[1:]
with Agent(issuer, client_id, secret=secret) as agent:
    try:
        yes = agent.ask(user, scope="payments:read", resource="https://pay.example",
                        idempotency_key=key)
        print(yes.receipt.approval, flush=True)
    except NotApproved as no:
        print(no.code, flush=True)
"""


@pytest.fixture
def program(server: LiveServer, person: Terminal) -> Iterator[Any]:
    """Starts an agent as a process of its own, under one idempotency key."""
    key = server.agent()
    started: list[subprocess.Popen[str]] = []

    def start(name: str) -> subprocess.Popen[str]:
        words = [server.url, key.id, key.secret, person.user, name]
        made = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        started.append(made)
        return made

    yield start
    for one in started:
        one.kill()
        one.communicate()


@pytest.mark.parametrize("answer", ["approved", "too_broad"])
def test_an_agent_that_is_killed_while_it_waits_gets_the_answer_after_its_restart(
    server: LiveServer, person: Terminal, program: Any, answer: str
) -> None:
    """An answer that came while the agent was down is not lost; the person is asked once."""
    first = program("invoice-2291")
    request = next_request(person)
    first.kill()
    first.wait()
    if answer == "approved":
        person.approve(request)
    else:
        person.deny(request, answer)
    told, _ = program("invoice-2291").communicate(timeout=60)
    assert told.strip() == (request.id if answer == "approved" else answer)
    assert story(server, request.id).count("approval.requested") == 1


def test_an_answer_that_was_lost_after_it_was_made_can_be_fetched_again(
    server: LiveServer, person: Terminal
) -> None:
    """Another process with the same key gets it for a minute, even if its tokens are bound."""
    key = server.agent(dpop_bound=True)
    found = []
    for _ in range(2):
        with Agent(server.url, key.id, secret=key.secret) as agent:
            named = {**READ, "idempotency_key": "once"}
            if found:
                found.append(agent.ask(person.user, **named))
            else:
                found.append(approved(person, agent.ask, person.user, **named))
    assert found[0].token == found[1].token


def test_a_restarted_agent_that_polls_too_early_slows_down_and_is_not_slowed_again(
    server: LiveServer, person: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that does not hold polls; sleeping moves its clock."""
    key = server.agent()
    errors: list[str] = []
    monkeypatch.setattr("time.sleep", lambda s: server.clock.forward(round(s * 1000)))
    with _plain(server, key, errors, ends_after=1) as agent, pytest.raises(KeyboardInterrupt):
        agent.ask(person.user, **READ, idempotency_key="k")
    with _plain(server, key, errors, ends_after=5) as agent, pytest.raises(KeyboardInterrupt):
        agent.ask(person.user, **READ, idempotency_key="k")
    pending = "authorization_pending"
    assert errors == [pending, "slow_down", pending, pending, pending, pending]


def _plain(server: LiveServer, key: AgentKey, errors: list[str], ends_after: int) -> Agent:
    """An agent whose polls are not held, and which dies after so many of them."""
    polls = 0

    def strip(request: httpx.Request) -> None:
        request.headers.pop("Prefer", None)

    def note(response: httpx.Response) -> None:
        nonlocal polls
        if response.request.url.path == "/token":
            response.read()
            errors.append(response.json()["error"])
            polls += 1
            if polls == ends_after:
                raise KeyboardInterrupt

    hooks: Any = {"request": [strip], "response": [note]}
    return Agent(server.url, key.id, secret=key.secret, http=httpx.Client(event_hooks=hooks))


def test_an_exchange_asks_the_person_if_the_server_says_so(
    server: LiveServer, person: Terminal
) -> None:
    """The token that came with a call becomes a narrower one, after a yes to exactly this."""
    bank, admin = "https://bank.example", "https://desk.example"
    server.resources.add(admin, {"desk:use": Risk.LOW}, {}, by=BY)
    server.resources.add(bank, {"bank:pay": Risk.HIGH}, {}, by=BY)
    both = {"resources": (admin, bank, PAY), "scopes": ("desk:use", "bank:pay", "payments:read")}
    front = kit_agent(server, **both)
    payer = kit_agent(server, **both, serves=(admin,))
    call: Approved = approved(person, front.ask, person.user, scope="desk:use", resource=admin)
    wanted = {"resource": bank, "scope": "bank:pay", "idempotency_key": "pay-1"}
    with begun(payer.exchange, call.token, PAYMENT, **wanted) as result:
        request = next_request(person)
        person.approve(request)
        yes = result.result(30)
    assert yes.granted == (PAYMENT,)
    assert yes.receipt.approval == request.id
    again = payer.exchange(call.token, PAYMENT, **wanted)
    assert again.token == yes.token


def _open(server: LiveServer) -> int:
    with server.services.store.read() as view:
        return len(
            view.approvals.search(state=State.PENDING, agent_id=None, user_id=None, limit=100)
        )
