"""An assistant that acts for a user at the bank, behind the gateway.

    python examples/assistant.py

Each line on stdin is a call, as a model would make it:

    {"tool": "transfer", "arguments": {"payee": "Nordwind", "account": "DE89…", "amount": {…}}}
"""

import asyncio
import json
import os
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from sign_in import refresh, sign_in

from sayso import AsyncAgent, SaysoError

ISSUER, GATEWAY = os.environ["ISSUER"], os.environ["GATEWAY"]
APP_ID, AGENT_ID = os.environ["APP_ID"], os.environ["AGENT_ID"]
SCOPE = "tools:read tools:write"


async def main() -> None:
    """Sign a user in, then make the calls."""
    tokens = sign_in(ISSUER, APP_ID, AGENT_ID, GATEWAY, SCOPE)
    async with AsyncAgent(ISSUER, AGENT_ID, secret=os.environ["AGENT_SECRET"]) as agent:
        for line in sys.stdin:
            try:
                tool, arguments = read_call(line)
                tokens = refresh(ISSUER, APP_ID, tokens["refresh_token"])
                # Exchange the user's token for one that lets this agent act (RFC 8693).
                acting = await agent.exchange(tokens["access_token"], resource=GATEWAY, scope=SCOPE)
                print(await call_tool(acting.token, tool, arguments), flush=True)
            except (ValueError, SaysoError) as error:
                print(error, flush=True)


def read_call(line: str) -> tuple[str, dict]:
    """Return the tool and its arguments. Raises ValueError."""
    match json.loads(line):
        case {"tool": str(tool), "arguments": dict(arguments)}:
            return tool, arguments
    raise ValueError('Write {"tool": "...", "arguments": {...}} on one line.')


async def call_tool(token: str, tool: str, arguments: dict) -> str:
    """Call a tool. While a person decides, make the same call again."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(GATEWAY, http_client=http)) as gateway,
    ):
        while True:
            answer = await gateway.call_tool(tool, arguments)
            text = answer.content[0].text
            if not text.startswith("Approval pending"):
                return text


if __name__ == "__main__":
    asyncio.run(main())
