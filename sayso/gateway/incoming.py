"""One HTTP request of a caller, and the answer to it.

Owns: what of a request is passed on, checks of its form, and sending. Never: what it may do.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sayso import asgi
from sayso.caller import Caller
from sayso.gateway import messages
from sayso.gateway.handles import Handles
from sayso.gateway.messages import Json, members
from sayso.rejection import Rejected

SESSION: Final = "mcp-session-id"
STREAM: Final = ((b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"))
JSON: Final = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))
_VERSION: Final = "mcp-protocol-version"
_PASSED: Final = frozenset({"accept", "content-type", _VERSION, "mcp-method", "mcp-name"})


@dataclass(frozen=True, slots=True)
class Incoming:
    """One HTTP request, and what goes to the upstream server with it."""

    caller: Caller
    method: str
    headers: Mapping[str, str]
    """Those that are passed on."""
    shows_urls: bool
    """Whether the client can show its user a URL."""
    receive: asgi.Receive
    send: asgi.Send

    @property
    def version(self) -> str:
        """The version of MCP that the client names."""
        return self.headers.get(_VERSION, "")

    async def start(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Begin the answer."""
        found = list(headers)
        await self.send({"type": "http.response.start", "status": status, "headers": found})

    async def body(self, body: bytes, *, more: bool = False) -> None:
        """Send a part of the answer."""
        await self.send({"type": "http.response.body", "body": body, "more_body": more})

    async def respond(self, message: Json) -> None:
        """Answer with one message."""
        await self.start(200, JSON)
        await self.body(messages.write(message))

    async def while_connected(self, work: Coroutine[Any, Any, None]) -> bool:
        """Do the work, and stop when the client is gone; return whether it is done."""

        async def gone() -> None:
            while (await self.receive())["type"] != "http.disconnect":
                pass

        tasks = asyncio.create_task(work), asyncio.create_task(gone())
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if tasks[0].cancelled():
            return False
        tasks[0].result()
        return True


def read(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send, handles: Handles) -> Incoming:
    """Choose what is passed on. Raises Rejected if the session is not this caller's."""
    caller = asgi.caller(scope)
    given = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    passed = {
        name: value
        for name, value in given.items()
        if name in _PASSED or name.startswith("mcp-param-")
    }
    shows_urls = False
    if SESSION in given:
        session = handles.open("session", caller, given[SESSION])
        if session is None:
            raise Rejected(404, "not_found", "There is no such session. Initialize a new one.")
        passed[SESSION], shows_urls = session
        if "last-event-id" in given:
            passed["last-event-id"] = given["last-event-id"]
    return Incoming(caller, scope["method"], passed, shows_urls, receive, send)


def read_message(body: bytes, headers: Mapping[str, str]) -> Json:
    """Read the body. Raises Rejected, also if a header that repeats a member differs from it."""
    try:
        message = messages.read(body)
        messages.write(message)
    except ValueError as error:
        text = f"The body is not one JSON-RPC message: {error}."
        raise Rejected(400, "invalid_request", text) from error
    if not isinstance(message.get("method", ""), str):
        raise Rejected(400, "invalid_request", "method must be a string.")
    called = message.get("method") == "tools/call"
    if called and type(message.get("id")) not in {str, int}:
        raise Rejected(400, "invalid_request", "A call of a tool needs an id.")
    repeated = {"mcp-method": message.get("method")}
    if called:
        repeated["mcp-name"] = members(message, "params").get("name")
    for name, value in repeated.items():
        if name in headers and headers[name] != value:
            raise Rejected(400, "invalid_request", f"The header {name} differs from the body.")
    return message
