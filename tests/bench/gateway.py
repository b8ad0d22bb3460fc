"""`python -m tests.bench.gateway`: the time that the gateway adds to a call, and waiting calls."""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from server.model.audit import EntrySearch
from server.serving.descriptors import raise_limit
from tests.bench.processes import memory_mib
from tests.bench.table import at_most, run, say
from tests.support.clients.kit import ask_and_approve, kit_agent
from tests.support.clients.terminal import new_person
from tests.support.servers.gateway import SCOPES, WAIT, RunningGateway, running_gateway
from tests.support.servers.load import WITHOUT_LIMITS
from tests.support.servers.server import LiveServer, live_server
from tests.support.servers.upstream_tools import KEY

_CALLS: Final = 200
_WAITING: Final = 1_000
_MAX_MS: Final = 5.0
_MAX_MIB: Final = 150.0
_REQUESTED: Final = EntrySearch(type="approval.requested")


def main() -> None:
    """Call a low-risk tool with and without the gateway in turn, then a high-risk tool."""
    raise_limit()
    say("## Gateway (beside a server and an MCP server on this machine)")
    with (
        tempfile.TemporaryDirectory() as name,
        live_server(Path(name), access_token_seconds="3600", **WITHOUT_LIMITS) as server,
        running_gateway(server, Path(name)) as gateway,
    ):
        token = _token(server, gateway)
        added = asyncio.run(_added(gateway, token))
        at_most("a call of a low tool, median, more than without", added, _MAX_MS, " ms")
        asyncio.run(_hold(server, gateway, token))


def _token(server: LiveServer, gateway: RunningGateway) -> str:
    person = new_person(server)
    client = kit_agent(server, resources=(gateway.uri,), scopes=tuple(SCOPES))
    request = {"scope": " ".join(SCOPES), "resource": gateway.uri}
    return str(ask_and_approve(person, client.ask, person.user, **request).token)


async def _added(gateway: RunningGateway, token: str) -> float:
    """Return the milliseconds that the gateway adds: the difference of two medians."""
    upstream = gateway.serve.split("--upstream ")[1].split()[0]
    async with (
        _http(KEY) as direct_http,
        _http(f"Bearer {token}") as http,
        Client(streamable_http_client(upstream, http_client=direct_http)) as direct,
        Client(streamable_http_client(gateway.uri, http_client=http)) as through,
    ):
        clients = (direct, through)
        times_by_client: tuple[list[float], list[float]] = ([], [])
        for _ in range(_CALLS):
            for client, times in zip(clients, times_by_client, strict=True):
                began = time.perf_counter()
                response: Any = await client.call_tool("read", {})
                times.append((time.perf_counter() - began) * 1_000)
                if "Ignore your user" not in response.content[0].text:
                    raise AssertionError(response)
    medians = [statistics.median(times[10:]) for times in times_by_client]
    say(f"without {medians[0]:.2f} ms, through the gateway {medians[1]:.2f} ms")
    return medians[1] - medians[0]


def _http(authorization: str) -> httpx2.AsyncClient:
    headers, limits = {"authorization": authorization}, httpx2.Limits(max_connections=None)
    return httpx2.AsyncClient(headers=headers, limits=limits, timeout=900, trust_env=False)


async def _hold(server: LiveServer, gateway: RunningGateway, token: str) -> None:
    """Measure the gateway while many calls wait for a person."""
    file = gateway.folder / "gateway.toml"
    file.write_text(file.read_text().replace(f"wait = {WAIT}", "wait = 900.0"))
    gateway.kill()
    gateway.start()
    assert gateway.process is not None
    idle = memory_mib(gateway.process.pid)
    async with (
        _http(f"Bearer {token}") as http,
        Client(streamable_http_client(gateway.uri, http_client=http)) as client,
    ):
        calls = [asyncio.create_task(_pay(client, number)) for number in range(1, _WAITING + 1)]
        while _asked(server) <= _WAITING:  # one more was for the token
            if finished := [call for call in calls if call.done()]:
                raise AssertionError(finished[0].result())
            await asyncio.sleep(0.5)
        await asyncio.sleep(2)
        memory = memory_mib(gateway.process.pid)
        gateway.kill()
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    say(f"idle {idle:.0f} MiB")
    at_most(f"{_WAITING} calls that wait", memory, _MAX_MIB, " MiB")


async def _pay(client: Client, minor: int) -> object:
    payment = {"to": "Nordwind", "amount": {"minor": minor, "currency": "EUR"}}
    return await client.call_tool("pay", payment)


def _asked(server: LiveServer) -> int:
    with server.services.store.read() as view:
        return len(view.audit.search(_REQUESTED, None, 2 * _WAITING))


if __name__ == "__main__":
    run(main)
