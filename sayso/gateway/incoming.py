"""One HTTP request of a caller, and the response to it.

Owns: which parts of a request are passed on, checks of its form, sending. Never: what it may do.
"""

import asyncio
import json
import re
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from sayso import asgi
from sayso.caller import Caller
from sayso.gateway import messages
from sayso.gateway.answers import SessionEnded
from sayso.gateway.handles import Handles
from sayso.gateway.messages import Json, members
from sayso.rejection import Rejected

SESSION: Final = "mcp-session-id"
STREAM: Final = ((b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"))
JSON: Final = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))
_LOCAL_ORIGIN: Final = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
_VERSION: Final = "mcp-protocol-version"
_PASSED_HEADERS: Final = frozenset({"accept", "content-type", _VERSION, "mcp-method", "mcp-name"})


CallKey: TypeAlias = tuple[str | None, str, str | None, str]


class BadMessage(Rejected):
    """The message is refused with a JSON-RPC error, which the client matches to its request."""

    def __init__(self, message: Json, code: int, text: str) -> None:
        super().__init__(400, "invalid_request", text)
        self.body = messages.error(message, code, text)


@dataclass(frozen=True, slots=True)
class Incoming:
    """One HTTP request, and the headers that go to the upstream server with it."""

    caller: Caller
    method: str
    headers: Mapping[str, str]
    """The headers that are passed on."""
    shows_urls: bool
    """Whether the client can show its user a URL."""
    receive: asgi.Receive
    send: asgi.Send

    @property
    def version(self) -> str:
        """The MCP version that the client names."""
        return self.headers.get(_VERSION, "")

    async def start(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Begin the response."""
        header_list = list(headers)
        await self.send({"type": "http.response.start", "status": status, "headers": header_list})

    async def body(self, body: bytes, *, more: bool = False) -> None:
        """Send a part of the response."""
        await self.send({"type": "http.response.body", "body": body, "more_body": more})

    async def respond(self, message: Json, status: int = 200) -> None:
        """Respond with one message."""
        await self.start(status, JSON)
        await self.body(messages.write(message))

    def call_key(self, request_id: object) -> CallKey:
        """Return the key by which this client can cancel a call."""
        caller = self.caller
        return caller.user, caller.client, self.headers.get(SESSION), json.dumps(request_id)

    async def while_connected(
        self, work: Coroutine[Any, Any, None], canceled: asyncio.Event | None = None
    ) -> bool:
        """Do the work unless the client disconnects or cancels; return whether it finished."""

        async def wait_for_disconnect() -> None:
            while (await self.receive())["type"] != "http.disconnect":
                pass

        waiting = [work, wait_for_disconnect(), *([] if canceled is None else [canceled.wait()])]
        tasks = [asyncio.create_task(coroutine) for coroutine in waiting]
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


def check_origin(scope: asgi.Scope, resource: str) -> None:
    """Reject requests from pages of other sites. Raises Rejected.

    Such a page may have a host name of its own that resolves to this server (DNS rebinding). If
    the gateway is on this machine, pages on this machine may call it.
    """
    url = urlsplit(resource)
    own_origin = f"{url.scheme}://{url.netloc}"
    is_local = _LOCAL_ORIGIN.fullmatch(own_origin)
    for name, value in scope["headers"]:
        origin = value.decode("latin-1")
        if (
            name == b"origin"
            and origin != own_origin
            and not (is_local and _LOCAL_ORIGIN.fullmatch(origin))
        ):
            raise Rejected(403, "invalid_request", "Pages of other sites may not call this.")


def read(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send, handles: Handles) -> Incoming:
    """Read a request and choose the headers to pass on. Raises SessionEnded for a bad session."""
    caller = asgi.caller(scope)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    passed = {
        name: value
        for name, value in headers.items()
        if name in _PASSED_HEADERS or name.startswith("mcp-param-")
    }
    shows_urls = False
    if SESSION in headers:
        session = handles.open("session", caller, headers[SESSION])
        if session is None:
            raise SessionEnded
        passed[SESSION], shows_urls = session
        if "last-event-id" in headers:
            passed["last-event-id"] = headers["last-event-id"]
    return Incoming(caller, scope["method"], passed, shows_urls, receive, send)


def read_message(body: bytes, headers: Mapping[str, str]) -> Json:
    """Read the body. Raises Rejected if it is invalid or contradicts a header."""
    try:
        message = messages.read(body)
        messages.write(message)
    except ValueError as error:
        text = f"The body is not one JSON-RPC message: {error}."
        raise Rejected(400, "invalid_request", text) from error
    if not isinstance(message.get("method", ""), str):
        raise Rejected(400, "invalid_request", "method must be a string.")
    is_tool_call = message.get("method") == "tools/call"
    if is_tool_call and type(message.get("id")) not in {str, int}:
        raise Rejected(400, "invalid_request", "A tool call needs an id.")
    repeated = {"mcp-method": message.get("method")}
    if is_tool_call:
        repeated["mcp-name"] = members(message, "params").get("name")
    for name, value in repeated.items():
        if name in headers and headers[name] != value:
            text = f"The header {name} differs from the body."
            raise BadMessage(message, messages.HEADER_MISMATCH, text)
    return message
