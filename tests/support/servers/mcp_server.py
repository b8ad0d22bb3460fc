"""An MCP server behind the kit's guard: `python -m tests.support.servers.mcp_server PORT ISSUER`.

Owns: the tools and the scopes that they take. Never: who calls.
"""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import uvicorn
from mcp.server.mcpserver import MCPServer

from sayso import AsyncGuard
from sayso.asgi import App, Message, Protected, Receive, Scope, Send, caller
from server.protocol.policy.risks import Risk
from tests.support.checks.waiting import until
from tests.support.servers.server import ROOT, LiveServer, free_port

SCOPES = {"notes:read": Risk.LOW, "notes:write": Risk.MEDIUM}
_NEEDED = {"read": "notes:read", "write": "notes:write"}


def uri(port: int) -> str:
    """The resource: also where the server answers."""
    return f"http://localhost:{port}/mcp"


@contextlib.contextmanager
def mcp_server(server: LiveServer) -> Iterator[str]:
    """An MCP server that takes tokens of this server for its own URI, which it yields."""
    port = free_port()
    arguments = [sys.executable, "-m", "tests.support.servers.mcp_server", str(port), server.url]
    process = subprocess.Popen(arguments, cwd=ROOT)
    try:
        until(lambda: _serves(port), 30)
        yield uri(port)
    finally:
        process.kill()
        process.wait()


def _serves(port: int) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(uri(port), trust_env=False).status_code == httpx.codes.UNAUTHORIZED
    return False


def _scoped(app: App) -> App:
    """Each tool takes its scope; the refusal must be the answer of the HTTP request."""

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []
        if scope["type"] == "http" and scope["method"] == "POST":
            while not messages or messages[-1].get("more_body"):
                messages.append(await receive())
            call: dict[str, Any] = json.loads(b"".join(each["body"] for each in messages))
            if call["method"] == "tools/call":
                caller(scope).require(_NEEDED[call["params"]["name"]])

        async def again() -> Message:
            return messages.pop(0) if messages else await receive()

        await app(scope, again, send)

    return checked


def main(port: int, issuer: str) -> None:
    """Serve two tools."""
    mcp = MCPServer("notes", log_level="WARNING")

    @mcp.tool()
    def read() -> str:
        """Read the notes."""
        return "milk"

    @mcp.tool()
    def write(text: str) -> str:
        """Write a note."""
        return f"wrote {text}"

    guard = AsyncGuard(issuer, uri(port), scopes=["notes:read"])
    app = Protected(_scoped(mcp.streamable_http_app()), guard)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
