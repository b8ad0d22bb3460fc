"""Serves the gateway with uvicorn until a signal stops it.

Owns: the order in which it stops. Never: what the gateway does with a request.
"""

import asyncio
import contextlib
import socket

import uvicorn

from sayso import asgi
from sayso.gateway.answers import UpstreamServer
from sayso.gateway.app import Gateway


def serve(gateway: Gateway, upstream: UpstreamServer, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT. Exits if the address cannot be used."""
    config = uvicorn.Config(
        _app(gateway),
        host=host,
        port=port,
        log_level="warning",
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    with contextlib.suppress(KeyboardInterrupt):
        _Server(config, gateway, upstream).run()


class _Server(uvicorn.Server):
    """On shutdown, ends the streams that clients listen to, and lets calls finish."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway, upstream: UpstreamServer) -> None:
        super().__init__(config)
        self._gateway, self._upstream = gateway, upstream

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._gateway.stopping.set()
        await super().shutdown(sockets)
        await self._upstream.aclose()


def _app(gateway: Gateway) -> asgi.App:
    async def app(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # a call that did not finish in time
            await gateway.app(scope, receive, send)

    return app
