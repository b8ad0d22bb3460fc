"""An MCP client with a token, connected to the gateway.

Owns: its connection, and the text of a result. Never: where the token comes from.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


@asynccontextmanager
async def connected(uri: str, token: str, mode: str = "auto") -> AsyncIterator[Client]:
    """Connect a client; in mode `legacy` it speaks the protocol before 2026-07-28."""
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http:
        transport = streamable_http_client(uri, http_client=http)
        async with Client(transport, mode=mode) as client:
            yield client


async def call_tool(client: Client, tool: str, **arguments: Any) -> str:
    """Call a tool and return the text of its result."""
    result: Any = await client.call_tool(tool, arguments)
    text: str = result.content[0].text
    return text
