"""The SDK's agent with a real server and a user's real device."""

import asyncio
import gc
import json
import subprocess
import sys
import warnings
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
    transport,
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
    ask_and_approve,
    kit_agent,
    next_request,
    run_in_background,
)
from tests.support.clients.terminal import PIN, Terminal
from tests.support.inputs.handmade_jwts import new_key
from tests.support.servers.server import BY, AgentKey, LiveServer


def test_an_approval_has_the_token_the_grant_and_the_receipt(
    agent: Agent, person: Terminal
) -> None:
    """The receipt names the approval and the fingerprint that the user saw."""
    requests_seen: list[Asked] = []
    with run_in_background(
        agent.ask, person.user, PAYMENT, **TRANSFER, on_asked=requests_seen.append
    ) as result:
        request = next_request(person)
        person.approve(request)
        approval = result.result(30)
    assert approval.granted == (PAYMENT,)
    assert (approval.narrowed, approval.scope) == (False, {"openid", "payments:transfer"})
    assert (approval.receipt.approval, approval.receipt.fingerprint) == (
        request.id,
        request.fingerprint,
    )
    assert [asked.fingerprint for asked in requests_seen] == [request.fingerprint]
    assert approval.token not in repr(approval)


def test_a_denial_has_its_code_and_the_note_of_the_user(agent: Agent, person: Terminal) -> None:
    """The error also says whether and how the agent may ask again."""
    with run_in_background(agent.ask, person.user, PAYMENT, **TRANSFER) as result:
        person.deny(next_request(person), "wrong_details", "The account is closed.")
        with pytest.raises(Denied) as denied:
            result.result(30)
    assert (denied.value.code, denied.value.retry) == ("wrong_details", "with_changes")
    assert denied.value.note == "The account is closed."
    assert '"The account is closed."' in str(denied.value)


def test_an_expired_request_is_not_a_denial(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Nobody answered in time, and the error says that this is not a denial."""
    with run_in_background(agent.ask, person.user, **READ) as result:
        next_request(person)
        server.clock.forward(DAY)
        with pytest.raises((Expired, Undeliverable), match="not a denial"):
            result.result(30)


def test_a_request_to_a_user_without_a_device_is_undeliverable(
    server: LiveServer, agent: Agent
) -> None:
    """The error says that the user has no device."""
    user, _ = server.user()
    open_before = _count_pending(server)
    with run_in_background(agent.ask, user, **READ) as result:
        until(lambda: _count_pending(server) > open_before)
        server.clock.forward(DAY)
        with pytest.raises(Undeliverable, match="no device"):
            result.result(30)


def test_a_withdrawn_request_raises_withdrawn(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """An administrator cancels the request while the agent waits."""
    with run_in_background(agent.ask, person.user, **READ) as result:
        request = next_request(person)
        Oversight(server.services.store).cancel(request.id, "Stopped.", by=BY)
        with pytest.raises(Withdrawn) as withdrawn:
            result.result(30)
    assert withdrawn.value.code == "cancelled"


def test_an_agent_that_is_disabled_while_it_waits_gets_an_error(
    server: LiveServer, person: Terminal
) -> None:
    """The waiting call fails immediately, and so does the next request."""
    key = server.agent()
    with Agent(server.url, key.id, secret=key.secret) as agent:
        with run_in_background(agent.ask, person.user, **READ) as result:
            next_request(person)
            Agents(server.services.store, server.services.secrets).disable(key.id, by=BY)
            with pytest.raises(Disabled, match="Stop"):
                result.result(30)
        with pytest.raises(Disabled):
            agent.ask(person.user, **READ)


def test_a_narrowed_approval_is_marked_as_narrowed(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """`narrowed` is true, and `granted` has the smaller amount."""
    document = json.dumps({**PAYMENT_TYPE, "narrow": {"/amount": "lower"}})
    ActionTypes(server.services.store).update(document, by=BY)
    with run_in_background(agent.ask, person.user, PAYMENT, **TRANSFER) as result:
        request = next_request(person)
        granted_text = person.decider.narrow(request, Narrowing((read_change("amount=500"),)))
        person.decider.approve(
            request, fingerprint=request.fingerprint, pin=PIN, granted=granted_text
        )
        approval = result.result(30)
    assert approval.narrowed
    assert approval.granted[0]["amount"] == {"minor": 50_000, "currency": "EUR"}


def test_an_unknown_user_is_refused_with_the_remedy(agent: Agent) -> None:
    """The error says to check the user's name."""
    with pytest.raises(Refused, match="Check the user's name") as refused:
        agent.ask("nobody-of-this-name", **READ)
    assert refused.value.error == "unknown_user_id"


def test_a_missing_fact_is_named(agent: Agent, person: Terminal) -> None:
    """The error names the member and the action type that requires it."""
    incomplete = {name: value for name, value in PAYMENT.items() if name != "payee"}
    with pytest.raises(Refused, match=r"payee is required by payment\.transfer"):
        agent.ask(person.user, incomplete, **TRANSFER)


def test_a_wrong_secret_is_refused_with_the_remedy(server: LiveServer) -> None:
    """The error explains how a secret authenticates."""
    key = server.agent()
    with Agent(server.url, key.id, secret="guess") as agent, pytest.raises(Refused) as refused:
        agent.ask("ana", **READ)
    assert "client_secret_basic for a secret" in str(refused.value)


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "RS256"])
@pytest.mark.parametrize("bound", [False, True])
def test_a_key_authenticates_with_and_without_bound_tokens(
    server: LiveServer, person: Terminal, *, alg: str, bound: bool
) -> None:
    """Each key type works with `private_key_jwt`, and a bound agent sends DPoP proofs."""
    key = new_key(alg)
    registered = server.agent(
        auth_method="private_key_jwt", jwks=json.dumps(key.jwk), dpop_bound=bound
    )
    with Agent(server.url, registered.id, key=key.private_jwk) as agent:
        approval: Approved = ask_and_approve(person, agent.ask, person.user, **READ)
    flow = approval.auth.auth_flow(httpx.Request("GET", "https://pay.example/"))
    request = next(flow)
    assert ("dpop" in request.headers) is bound
    assert request.headers["authorization"].startswith("DPoP " if bound else "Bearer ")


def test_an_asynchronous_agent_works_in_each_event_loop(server: LiveServer) -> None:
    """A script may call `asyncio.run` for each request; connections belong to the loop."""
    agent = AsyncAgent(server.url, server.agent().id, secret="wrong")

    async def ask() -> None:
        with pytest.raises(Refused, match="invalid_client"):
            await agent.ask("ana")

    async def ask_and_close() -> None:
        async with agent:
            await ask()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # a loop ends with open connections
        asyncio.run(ask())
        asyncio.run(ask_and_close())
        gc.collect()
    assert not agent._clients


async def test_an_asynchronous_agent_does_the_same(server: LiveServer, person: Terminal) -> None:
    """`AsyncAgent` follows the same rules as `Agent`."""
    key = server.agent()
    async with AsyncAgent(server.url, key.id, secret=key.secret) as agent:
        call = asyncio.create_task(agent.ask(person.user, PAYMENT, **TRANSFER))
        request = await asyncio.to_thread(next_request, person)
        await asyncio.to_thread(person.approve, request)
        approval = await call
    assert approval.granted == (PAYMENT,)


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
    """Return a function that starts the agent as a process, with an idempotency key."""
    key = server.agent()
    started: list[subprocess.Popen[str]] = []

    def start(name: str) -> subprocess.Popen[str]:
        words = [server.url, key.id, key.secret, person.user, name]
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("answer", ["approved", "too_broad"])
def test_a_killed_agent_gets_the_decision_after_its_restart(
    server: LiveServer, person: Terminal, program: Any, answer: str
) -> None:
    """A decision made while the agent was down is not lost, and the user is asked only once."""
    first = program("invoice-2291")
    request = next_request(person)
    first.kill()
    first.wait()
    if answer == "approved":
        person.approve(request)
    else:
        person.deny(request, answer)
    output, _ = program("invoice-2291").communicate(timeout=60)
    assert output.strip() == (request.id if answer == "approved" else answer)
    assert story(server, request.id).count("approval.requested") == 1


def test_a_process_with_the_same_key_gets_the_token_again(
    server: LiveServer, person: Terminal
) -> None:
    """A second process gets the same token, even if the agent's tokens are bound."""
    key = server.agent(dpop_bound=True)
    approvals = []
    for _ in range(2):
        with Agent(server.url, key.id, secret=key.secret) as agent:
            options = {**READ, "idempotency_key": "once"}
            if approvals:
                approvals.append(agent.ask(person.user, **options))
            else:
                approvals.append(ask_and_approve(person, agent.ask, person.user, **options))
    assert approvals[0].token == approvals[1].token


def test_a_restarted_agent_slows_down_only_once(
    server: LiveServer, person: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server here does not hold polls; sleeping moves its clock."""
    key = server.agent()
    errors: list[str] = []
    move_clock = server.clock.forward
    monkeypatch.setattr(transport, "wait", lambda _, seconds: move_clock(round(seconds * 1000)))
    with (
        _agent_without_held_polls(server, key, errors, ends_after=1) as agent,
        pytest.raises(KeyboardInterrupt),
    ):
        agent.ask(person.user, **READ, idempotency_key="k")
    with (
        _agent_without_held_polls(server, key, errors, ends_after=5) as agent,
        pytest.raises(KeyboardInterrupt),
    ):
        agent.ask(person.user, **READ, idempotency_key="k")
    pending = "authorization_pending"
    assert errors == [pending, "slow_down", pending, pending, pending, pending]


def _agent_without_held_polls(
    server: LiveServer, key: AgentKey, errors: list[str], ends_after: int
) -> Agent:
    """Return an agent whose polls are not held, and which is interrupted after some of them."""
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


def test_an_exchange_asks_the_user_if_the_server_requires_it(
    server: LiveServer, person: Terminal
) -> None:
    """The caller's token is exchanged for a narrower one after the user approved the action."""
    bank, admin = "https://bank.example", "https://desk.example"
    server.resources.add(admin, {"desk:use": Risk.LOW}, {}, by=BY)
    server.resources.add(bank, {"bank:pay": Risk.HIGH}, {}, by=BY)
    both = {"resources": (admin, bank, PAY), "scopes": ("desk:use", "bank:pay", "payments:read")}
    front = kit_agent(server, **both)
    payer = kit_agent(server, **both, serves=(admin,))
    call: Approved = ask_and_approve(
        person, front.ask, person.user, scope="desk:use", resource=admin
    )
    options = {"resource": bank, "scope": "bank:pay", "idempotency_key": "pay-1"}
    with run_in_background(payer.exchange, call.token, PAYMENT, **options) as result:
        request = next_request(person)
        person.approve(request)
        approval = result.result(30)
    assert approval.granted == (PAYMENT,)
    assert approval.receipt.approval == request.id
    repeated = payer.exchange(call.token, PAYMENT, **options)
    assert repeated.token == approval.token


def _count_pending(server: LiveServer) -> int:
    with server.services.store.read() as view:
        return len(
            view.approvals.search(state=State.PENDING, agent_id=None, user_id=None, limit=100)
        )
