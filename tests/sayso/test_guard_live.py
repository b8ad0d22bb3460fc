"""The SDK on both sides of a real server: an API demands, a person answers, the API acts once."""

from collections.abc import Iterator
from typing import Any

import flask
import httpx
import pytest

from sayso import Agent, Approved, AsyncGuard, Caller, Challenge, Guard, Rejected
from sayso.flask import Protected
from server.services.clients.agents import Agents
from tests.support.builders.installation import PAY
from tests.support.clients.kit import PAYMENT, READ, TRANSFER, approved, kit_agent
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import BY, LiveServer


@pytest.fixture(scope="module")
def credentials(server: LiveServer) -> tuple[str, str]:
    """What the payment API proves itself with."""
    made = server.resources.rotate_secret(PAY, by=BY)
    return made.resource.client_id, made.secret


@pytest.fixture(scope="module")
def guard(server: LiveServer, credentials: tuple[str, str]) -> Iterator[Guard]:
    """A guard of the payment API."""
    with Guard(server.url, PAY, credentials=credentials) as made:
        yield made


def _authorization(yes: Approved, url: str = PAY) -> Any:
    return next(yes.auth.auth_flow(httpx.Request("GET", url))).headers["authorization"]


def test_a_token_of_the_server_says_who_calls(guard: Guard, agent: Agent, person: Terminal) -> None:
    """The token says that a person answered, not a rule, and which approval they saw."""
    yes = approved(person, agent.ask, person.user, PAYMENT, **TRANSFER)
    caller = guard.check(_authorization(yes))
    assert caller.user == person.client.profile.user_id
    assert caller.chain == (caller.agent,)
    assert caller.approval is not None
    assert yes.receipt is not None
    assert caller.approval.id == yes.receipt.approval
    assert (caller.approval.single_use, caller.approval.decided_by) == (True, None)


def test_an_approval_runs_once_and_only_as_it_was_granted(
    guard: Guard, agent: Agent, person: Terminal
) -> None:
    """The same execution may be repeated by who knows its name; no other may."""
    yes = approved(person, agent.ask, person.user, PAYMENT, **TRANSFER)
    caller = guard.check(_authorization(yes))
    more = {**PAYMENT, "amount": {"minor": 999_900, "currency": "EUR"}}
    with pytest.raises(Rejected) as other:
        guard.consume(caller, more)
    first = guard.consume(caller, PAYMENT, "run-1")
    assert guard.consume(caller, PAYMENT, "run-1") == first
    with pytest.raises(Rejected) as again:
        guard.consume(caller, PAYMENT)
    assert (other.value.error, again.value.error) == (
        "insufficient_authorization_details",
        "already_consumed",
    )


def test_introspection_sees_a_disabled_agent_and_a_signature_alone_does_not(
    server: LiveServer, guard: Guard, credentials: tuple[str, str], person: Terminal
) -> None:
    """The choice that `introspect_every` is."""
    key = server.agent()
    with Agent(server.url, key.id, secret=key.secret) as agent:
        yes = approved(person, agent.ask, person.user, **READ)
    with Guard(server.url, PAY, credentials=credentials, introspect_every=0) as strict:
        seen = strict.check(_authorization(yes))
        assert seen.claims["username"] == person.user
        assert seen.claims["agent"]["name"] == key.name
        Agents(server.services.store, server.services.secrets).disable(key.id, by=BY)
        assert guard.check(_authorization(yes)).agent == key.id
        with pytest.raises(Rejected, match="no longer active"):
            strict.check(_authorization(yes))


async def test_an_asynchronous_guard_does_the_same(
    server: LiveServer, credentials: tuple[str, str], agent: Agent, person: Terminal
) -> None:
    """The same rules by another driver."""
    yes = approved(person, agent.ask, person.user, PAYMENT, **TRANSFER)
    async with AsyncGuard(server.url, PAY, credentials=credentials, introspect_every=1) as guard:
        caller = await guard.check(_authorization(yes))
        assert (await guard.consume(caller, PAYMENT, "a")).execution_id == "a"
        with pytest.raises(Rejected) as again:
            await guard.consume(caller, PAYMENT, "b")
    assert again.value.status == 409


@pytest.fixture
def bank(guard: Guard) -> Any:
    """An API that pays after it consumed the approval, and what it paid."""
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
def test_an_api_demands_and_the_agent_asks_for_exactly_that(
    server: LiveServer, person: Terminal, bank: Any, *, dpop_bound: bool
) -> None:
    """Refused, approved, paid once; the same token again pays nothing."""
    http, paid = bank
    agent = kit_agent(server, dpop_bound=dpop_bound)
    poor = approved(person, agent.ask, person.user, **READ)
    demanded = http.post("/pay", json=PAYMENT, auth=poor.auth)
    challenge = Challenge.of(demanded)
    assert challenge is not None
    yes = approved(person, agent.ask, person.user, challenge, scope="payments:transfer")
    answers = [http.post("/pay", json=PAYMENT, auth=yes.auth).status_code for _ in range(2)]
    assert answers == [200, 409]
    assert paid == [PAYMENT]
