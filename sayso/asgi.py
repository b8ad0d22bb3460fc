"""Protects an ASGI app: FastAPI, Starlette or any other.

Owns: reading an ASGI request, the response to a rejected call, and the metadata route. Never: the
rules.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from typing import Any, Final

from sayso.caller import Caller
from sayso.guard import AsyncGuard
from sayso.rejection import Rejected

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
_CALLER: Final = "sayso.caller"
_JSON: Final = {"content-type": "application/json"}


class Protected:
    """Middleware: every HTTP request outside `public` needs a token for this API.

    Use `app.add_middleware(Protected, guard=guard)` in Starlette and FastAPI, and
    `Protected(app, guard)` elsewhere. In a handler, `caller(request.scope)` returns the caller.
    If the guard rejects a call in a handler, this sends the response too, unless the handler has
    already begun one. A rejected WebSocket handshake is closed.
    """

    def __init__(self, app: App, guard: AsyncGuard, public: Collection[str] = ()) -> None:
        self._app = app
        self._guard = guard
        self._public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the request, then run the app."""
        if scope["type"] not in {"http", "websocket"} or scope["path"] in self._public:
            await self._app(scope, receive, send)
            return
        if scope["path"] == self._guard.metadata_path:
            await _answer(send, 200, _JSON, self._guard.metadata)
            return
        has_started = False

        async def send_and_record(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            scope[_CALLER] = await self._check(scope)
            await self._app(scope, receive, send_and_record)
        except Rejected as rejected:
            if has_started:
                raise
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008, "reason": rejected.error})
            else:
                await _answer(send, rejected.status, rejected.headers, rejected.body)

    async def _check(self, scope: Scope) -> Caller:
        headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        ]
        authorization_headers = [value for name, value in headers if name == "authorization"]
        path = scope.get("raw_path") or scope["path"].encode()
        return await self._guard.check(
            authorization_headers[0] if len(authorization_headers) == 1 else None,
            method=scope.get("method", "GET"),
            path=path.decode("latin-1").partition("?")[0],
            proofs=[value for name, value in headers if name == "dpop"],
        )


def caller(scope: Scope) -> Caller:
    """Return the caller, in a handler behind `Protected`."""
    result: Caller = scope[_CALLER]
    return result


async def read_body(receive: Receive, max_bytes: int) -> bytes:
    """Return the body of a request, at most `max_bytes` long. Raises Rejected."""
    body, has_more = bytearray(), True
    while has_more:
        message = await receive()
        if message["type"] != "http.request":
            raise Rejected(400, "invalid_request", "The request ended before its body.")
        body += message.get("body", b"")
        has_more = message.get("more_body", False)
        if len(body) > max_bytes:
            raise Rejected(413, "invalid_request", f"The body is longer than {max_bytes} bytes.")
    return bytes(body)


def replay_body(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that first delivers a body that was already read."""
    pending_bodies = [body]

    async def deliver() -> Message:
        if pending_bodies:
            return {"type": "http.request", "body": pending_bodies.pop(), "more_body": False}
        return await receive()

    return deliver


async def _answer(
    send: Send, status: int, headers: Mapping[str, str], body: Mapping[str, object]
) -> None:
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
