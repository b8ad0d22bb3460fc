"""An MCP client that repeats one call until it knows how the call ended.

`python retrying_caller.py URI TOKEN MINOR` pays through the tool `pay`, and prints the text of the
last result on one line.

Owns: repeating the same call, as a model that reads the texts would. Never: who answers.
"""

import asyncio
import sys
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

_ENDED = ("paid", "denied", "may have run")


async def main(uri: str, token: str, minor: int) -> str:
    """Repeat the call until a result says that it ended, even after lost connections."""
    payment = {"to": "Nordwind", "amount": {"minor": minor, "currency": "EUR"}}
    while True:
        try:
            text = await _call(uri, token, payment)
        except Exception as error:  # noqa: BLE001  # a killed server causes many kinds of errors
            text = repr(error)
        if any(word in text for word in _ENDED):
            return text
        await asyncio.sleep(0.1)


async def _call(uri: str, token: str, payment: dict[str, Any]) -> str:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http,
        Client(streamable_http_client(uri, http_client=http)) as client,
    ):
        answer: Any = await client.call_tool("pay", payment)
        text: str = answer.content[0].text
        return text


if __name__ == "__main__":
    outcome = asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
    sys.stdout.write(" ".join(outcome.split()) + "\n")
