"""Serves the gateway with uvicorn until a signal stops it.

Owns: the shutdown order. Never: what the gateway does with a request.
"""

import asyncio
import socket
from contextlib import suppress

import uvicorn

from sayso import asgi
from sayso.gateway.app import Gateway


class GatewayServer(uvicorn.Server):
    """On shutdown, it ends the streams that clients listen to, and lets calls finish."""

    def __init__(self, gateway: Gateway, host: str, port: int) -> None:
        """Serve at this address, without logging requests."""

        async def app(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
            with suppress(asyncio.CancelledError):  # a call that did not finish in time
                await gateway.app(scope, receive, send)

        config = uvicorn.Config(app, host, port, log_level="warning", lifespan="off")
        config.server_header, config.timeout_graceful_shutdown = False, 5
        super().__init__(config)
        self._gateway = gateway

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Shut down, then close the upstream server."""
        self._gateway.stopping.set()
        await super().shutdown(sockets)
        await self._gateway.upstream.aclose()


def serve(gateway: Gateway, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT. Exits if the address cannot be used."""
    with suppress(KeyboardInterrupt):
        GatewayServer(gateway, host, port).run()
