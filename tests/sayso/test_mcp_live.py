"""An MCP server that is killed during the decision."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.support.clients.kit import approve, next_request
from tests.support.clients.signed_in import signed_in
from tests.support.clients.terminal import Terminal
from tests.support.servers.mcp_server import mcp_server
from tests.support.servers.server import LiveServer

PAYMENT = {"payee": "Nordwind", "amount": {"minor": 482_000, "currency": "EUR"}}


async def test_a_call_runs_once_after_a_server_crash(server: LiveServer, person: Terminal) -> None:
    """The user is asked once, and the payment is made once."""
    with mcp_server(server, Path(sys.executable)) as mcp:
        token = await asyncio.to_thread(signed_in, server, person, mcp.uri, "notes:read")
        with pytest.RaisesGroup(httpx2.TransportError, flatten_subgroups=True):
            async with _client(mcp.uri, token) as client:
                call = asyncio.create_task(client.call_tool("pay", PAYMENT))
                request = await asyncio.to_thread(next_request, person)
                mcp.kill()
                await call
        await asyncio.to_thread(mcp.start)
        assert mcp.paid == []
        async with _client(mcp.uri, token) as client:
            call = asyncio.create_task(client.call_tool("pay", PAYMENT))
            assert (await asyncio.to_thread(person.only_request)).id == request.id
            await asyncio.to_thread(approve, person, request)
            assert "paid 482000" in str(await call)
    assert mcp.paid == [["Nordwind", 482_000]]
    assert person.waiting() == ()


@contextlib.asynccontextmanager
async def _client(uri: str, token: str) -> AsyncIterator[Any]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http,
        Client(streamable_http_client(uri, http_client=http), mode="2026-07-28") as client,
    ):
        yield client
