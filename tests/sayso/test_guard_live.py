"""The SDK on both sides of a real server: an API requires an approval and acts once."""

from collections.abc import Iterator
from typing import Any

import flask
import httpx
import pytest

from sayso import Agent, Approved, AsyncGuard, Caller, Challenge, Guard, Rejected
from sayso.flask import Protected
from server.services.clients.agents import Agents
from tests.support.builders.installation import PAY
from tests.support.clients.kit import PAYMENT, READ, TRANSFER, ask_and_approve, kit_agent
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import BY, LiveServer


@pytest.fixture(scope="module")
def credentials(server: LiveServer) -> tuple[str, str]:
    """The client credentials of the payment API."""
    rotated = server.resources.rotate_secret(PAY, by=BY)
    return rotated.resource.client_id, rotated.secret


@pytest.fixture(scope="module")
def guard(server: LiveServer, credentials: tuple[str, str]) -> Iterator[Guard]:
    """A guard of the payment API."""
    with Guard(server.url, PAY, credentials=credentials) as new_guard:
        yield new_guard


def _authorization(approval: Approved, url: str = PAY) -> Any:
    return next(approval.auth.auth_flow(httpx.Request("GET", url))).headers["authorization"]


def test_a_token_of_the_server_names_the_user_and_the_approval(
    guard: Guard, agent: Agent, person: Terminal
) -> None:
    """The token names the approval and says that a user, not a rule, decided."""
    approval = ask_and_approve(person, agent.ask, person.user, PAYMENT, **TRANSFER)
    caller = guard.check(_authorization(approval))
    assert caller.user == person.client.profile.user_id
    assert caller.chain == (caller.agent,)
    assert caller.approval is not None
    assert approval.receipt is not None
    assert caller.approval.id == approval.receipt.approval
    assert (caller.approval.single_use, caller.approval.decided_by) == (True, None)


def test_an_approval_is_consumed_once_and_only_as_granted(
    guard: Guard, agent: Agent, person: Terminal
) -> None:
    """The same execution ID may be repeated; a different execution is refused."""
    approval = ask_and_approve(person, agent.ask, person.user, PAYMENT, **TRANSFER)
    caller = guard.check(_authorization(approval))
    larger = {**PAYMENT, "amount": {"minor": 999_900, "currency": "EUR"}}
    with pytest.raises(Rejected) as not_granted:
        guard.consume(caller, larger)
    first = guard.consume(caller, PAYMENT, "run-1")
    assert guard.consume(caller, PAYMENT, "run-1") == first
    with pytest.raises(Rejected) as consumed:
        guard.consume(caller, PAYMENT)
    assert (not_granted.value.error, consumed.value.error) == (
        "insufficient_authorization_details",
        "already_consumed",
    )


def test_only_introspection_notices_a_disabled_agent(
    server: LiveServer, guard: Guard, credentials: tuple[str, str], person: Terminal
) -> None:
    """Without introspection, the token is accepted until it expires."""
    key = server.agent()
    with Agent(server.url, key.id, secret=key.secret) as agent:
        approval = ask_and_approve(person, agent.ask, person.user, **READ)
    with Guard(server.url, PAY, credentials=credentials, introspect_every=0) as strict:
        caller = strict.check(_authorization(approval))
        assert caller.claims["username"] == person.user
        assert caller.claims["agent"]["name"] == key.name
        Agents(server.services.store, server.services.secrets).disable(key.id, by=BY)
        assert guard.check(_authorization(approval)).agent == key.id
        with pytest.raises(Rejected, match="no longer active"):
            strict.check(_authorization(approval))


async def test_an_asynchronous_guard_does_the_same(
    server: LiveServer, credentials: tuple[str, str], agent: Agent, person: Terminal
) -> None:
    """`AsyncGuard` follows the same rules as `Guard`."""
    approval = ask_and_approve(person, agent.ask, person.user, PAYMENT, **TRANSFER)
    async with AsyncGuard(server.url, PAY, credentials=credentials, introspect_every=1) as guard:
        caller = await guard.check(_authorization(approval))
        assert (await guard.consume(caller, PAYMENT, "a")).execution_id == "a"
        with pytest.raises(Rejected) as rejected:
            await guard.consume(caller, PAYMENT, "b")
    assert rejected.value.status == 409


@pytest.fixture
def bank(guard: Guard) -> Any:
    """A client of an API that pays after it consumed the approval, and the list of payments."""
    app = flask.Flask("bank")
    api = Protected(app, guard)
    paid: list[Any] = []

    @app.post("/pay")
    @api.require()
    def pay(caller: Caller) -> dict[str, object]:
        guard.consume(caller, flask.request.json)
        paid.append(flask.request.json)
        return {"paid": True}

    return httpx.Client(transport=httpx.WSGITransport(app), base_url=PAY), paid


@pytest.mark.parametrize("dpop_bound", [False, True])
def test_an_agent_requests_exactly_what_the_challenge_names(
    server: LiveServer, person: Terminal, bank: Any, *, dpop_bound: bool
) -> None:
    """The first call is refused, the approved call pays, and a repetition is refused."""
    http, paid = bank
    agent = kit_agent(server, dpop_bound=dpop_bound)
    read_approval = ask_and_approve(person, agent.ask, person.user, **READ)
    refused = http.post("/pay", json=PAYMENT, auth=read_approval.auth)
    challenge = Challenge.from_response(refused)
    assert challenge is not None
    approval = ask_and_approve(person, agent.ask, person.user, challenge, scope="payments:transfer")
    answers = [http.post("/pay", json=PAYMENT, auth=approval.auth).status_code for _ in range(2)]
    assert answers == [200, 409]
    assert paid == [PAYMENT]
