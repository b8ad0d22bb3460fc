"""The gateway exchanges a caller's token for one of the upstream server, at a real server."""

import asyncio
from typing import Any

import httpx

from sayso import AsyncAgent, AsyncGuard
from sayso.gateway.config import Config, Exchange
from sayso.gateway.tools import ToolMap
from sayso.gateway.upstream import Upstream
from server.protocol.policy.risks import Risk
from tests.support.clients.kit import approve, next_request
from tests.support.clients.signed_in import signed_in
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import BY, LiveServer

GATE, UP = "https://gate.example/mcp", "https://up.example/mcp"


async def test_the_upstream_server_gets_a_token_for_itself(
    server: LiveServer, person: Terminal
) -> None:
    """The new token names the user, who agrees once, and the gateway's agent."""
    server.resources.add(GATE, {"tools:read": Risk.LOW}, {}, by=BY)
    server.resources.add(UP, {"up:read": Risk.LOW}, {}, by=BY)
    key = server.agent(serves=(GATE,), resources=(UP,), scopes=("up:read",))
    token = await asyncio.to_thread(signed_in, server, person, GATE, "tools:read")
    exchange = Exchange(UP, "up:read")
    config = Config(server.url, GATE, ("", ""), key.basic, exchange, ToolMap({}), 30, 30, 1000)
    received: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        received.append(request.headers["authorization"])
        return httpx.Response(202)

    transport = httpx.MockTransport(answer)
    async with (
        AsyncAgent(server.url, key.id, secret=key.secret) as agent,
        AsyncGuard(server.url, GATE) as gate,
        AsyncGuard(server.url, UP) as up,
    ):
        upstream = Upstream(UP, config, agent, httpx.AsyncClient(transport=transport))
        caller = await gate.check(f"Bearer {token}")

        async def send() -> Any:
            async with upstream.send(caller, "POST", {}, b"{}") as answered:
                return answered.status

        first = asyncio.create_task(send())
        await asyncio.to_thread(lambda: approve(person, next_request(person)))
        assert await first == await send() == 202
        assert received[0] == received[1] != f"Bearer {token}"
        acting = await up.check(received[0])
    assert (acting.user, acting.agent) == (person.client.profile.user_id, key.id)
    assert acting.scope == {"up:read"}
