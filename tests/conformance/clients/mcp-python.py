"""Plays a flow with the MCP SDK for Python that this interpreter has, 1.x or 2.x.

It exchanges JSON documents with the test, one per line, as `talking.mjs` does.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qs, urlsplit

from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

OLD = version("mcp").startswith("1.")
if OLD:
    import httpx
    from mcp import ClientSession
else:
    import httpx2 as httpx
    from mcp import Client, MCPError
    from mcp.shared.auth import AuthorizationCodeResult
    from mcp_types import ElicitResult


async def receive() -> dict[str, Any]:
    """Reads the next document from the test."""
    parsed: dict[str, Any] = json.loads(await asyncio.to_thread(sys.stdin.readline))
    return parsed


def say(event: str, **members: object) -> None:
    """Tells the test that something happened."""
    sys.stdout.write(json.dumps({"event": event, **members}) + "\n")
    sys.stdout.flush()


class Storage:
    """Stores the client's registration, if the test provides one, and its tokens."""

    def __init__(self, client: dict[str, Any] | None) -> None:
        self.client = client and OAuthClientInformationFull.model_validate(client)
        self.tokens: OAuthToken | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


async def visit(url: str) -> None:
    """Lets the test open the URL, because the test has the user's browser."""
    say("visit", url=url)


async def wait_for_callback() -> Any:
    """Returns the answer in the URL to which the browser was redirected."""
    answer = {
        name: value for name, (value,) in parse_qs(urlsplit((await receive())["url"]).query).items()
    }
    if OLD:
        return answer["code"], answer["state"]
    return AuthorizationCodeResult(code=answer["code"], state=answer["state"], iss=answer["iss"])


async def elicited(_: Any, request: Any) -> Any:
    """Agrees to open the URL that the server names, as a user would."""
    say("elicited", mode=request.mode, url=request.url, message=request.message)
    return ElicitResult(action="accept")


async def call(client: Any, name: str, arguments: dict[str, Any]) -> None:
    """Calls a tool and tells the test the result."""
    steps: list[float] = []

    async def on_progress(progress: float, _total: float | None, _message: str | None) -> None:
        steps.append(progress)

    options = {"progress_callback": on_progress}
    if OLD:
        result = await client.call_tool(name, arguments, **options)
        failed = result.isError
    else:
        try:
            result = await client.call_tool(name, arguments, **options)
        except MCPError as error:
            say("error", code=error.code, data=error.data)
            return
        failed = result.is_error
    more = {"progressed": True} if steps else {}
    say("called", tool=name, text=result.content[0].text, failed=failed, **more)


@contextlib.asynccontextmanager
async def connected(url: str, auth: Any, config: dict[str, Any]) -> AsyncIterator[Any]:
    """Yields a session with the MCP server."""
    async with httpx.AsyncClient(auth=auth, timeout=60, trust_env=False) as http:
        transport = streamable_http_client(url, http_client=http)
        if OLD:
            async with transport as (reading, writing, _), ClientSession(reading, writing) as old:
                await old.initialize()
                yield old
        else:
            callback = elicited if config.get("shows_urls") else None
            mode = config.get("mode", "auto")
            async with Client(transport, mode=mode, elicitation_callback=callback) as client:
                yield client


async def main() -> None:
    """Signs in and calls each tool that the test names."""
    config = await receive()
    storage = Storage(config.get("client"))
    auth = OAuthClientProvider(
        server_url=config["url"],
        client_metadata=OAuthClientMetadata(**config["metadata"]),
        storage=storage,
        redirect_handler=visit,
        callback_handler=wait_for_callback,
        client_metadata_url=config.get("metadata_url"),
    )
    async with connected(config["url"], auth, config) as client:
        for name, arguments in config["calls"]:
            await call(client, name, arguments)
    assert storage.tokens is not None
    assert storage.client is not None
    say("done", scope=storage.tokens.scope, client_id=storage.client.client_id)


asyncio.run(main())
