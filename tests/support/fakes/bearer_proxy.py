"""A reverse proxy that adds a token to each request, for clients that cannot sign in.

Owns: forwarding requests and responses unchanged, including streams. Never: their meaning.
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx2
import uvicorn

from sayso import asgi
from tests.support.checks.waiting import until

_HOP_BY_HOP_HEADERS: Final = {b"connection", b"transfer-encoding", b"content-length"}
_MAX_BODY_BYTES: Final = 1 << 24


@dataclass(slots=True)
class BearerProxy:
    """The proxy to one server, such as `http://localhost:9000`. If `token` is None it adds none."""

    target: str
    token: str | None = None

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """Forward one request, and stop when the client disconnects."""
        body = await asgi.read_body(receive, _MAX_BODY_BYTES)
        passing = asyncio.create_task(self._pass(scope, body, send))
        disconnected = asyncio.create_task(_wait_for_disconnect(receive))
        await asyncio.wait({passing, disconnected}, return_when=asyncio.FIRST_COMPLETED)
        disconnected.cancel()
        passing.cancel()
        try:
            await passing
        except httpx2.ConnectError:
            await send({"type": "http.response.start", "status": 502, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        except asyncio.CancelledError:
            pass

    async def _pass(self, scope: asgi.Scope, body: bytes, send: asgi.Send) -> None:
        headers = [header for header in scope["headers"] if header[0] not in _HOP_BY_HOP_HEADERS]
        if self.token is not None:
            headers.append((b"authorization", f"Bearer {self.token}".encode()))
        url = self.target + scope["raw_path"].decode()
        async with (
            httpx2.AsyncClient(timeout=60, trust_env=False) as http,
            http.stream(scope["method"], url, headers=headers, content=body) as answer,
        ):
            response_headers = [
                header
                for header in answer.headers.raw
                if header[0].lower() not in _HOP_BY_HOP_HEADERS
            ]
            start = {
                "type": "http.response.start",
                "status": answer.status_code,
                "headers": response_headers,
            }
            await send(start)
            async for part in answer.aiter_raw():
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _wait_for_disconnect(receive: asgi.Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@contextlib.contextmanager
def bearer_proxy(port: int, target: str) -> Iterator[BearerProxy]:
    """Run the proxy at this port while the block runs."""
    proxy = BearerProxy(target)
    options: dict[str, Any] = {
        "log_level": "error",
        "lifespan": "off",
        "timeout_graceful_shutdown": 1,
    }
    server = uvicorn.Server(uvicorn.Config(proxy, host="127.0.0.1", port=port, **options))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until(lambda: server.started, 10)
        yield proxy
    finally:
        server.should_exit = True
        thread.join(10)
