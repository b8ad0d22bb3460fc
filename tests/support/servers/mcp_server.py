"""An MCP server protected by the SDK, as a process, registered at a Sayso server.

Owns: registering, starting and stopping it. Never: its tools, which are in `mcp_tools.py`.
"""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from server.protocol.policy.risks import Risk
from tests.support.checks.waiting import until
from tests.support.servers.gateway import status_of
from tests.support.servers.ports import free_port
from tests.support.servers.server import BY, ROOT, LiveServer

SCOPES = {"notes:read": Risk.LOW, "notes:write": Risk.MEDIUM, "notes:pay": Risk.HIGH}
WAIT = 6.0
"""How many seconds its calls wait for a person."""
_PROGRAM = Path(__file__).with_name("mcp_tools.py")


@dataclass(slots=True)
class McpServer:
    """An MCP server process that can be killed and started again."""

    uri: str
    ledger: Path
    command: list[str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process and wait until it answers."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(self.command, cwd=ROOT, env=environment)
        until(lambda: status_of(self.uri) == httpx.codes.UNAUTHORIZED, 30)

    def kill(self) -> None:
        """Kill the process with SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @property
    def paid(self) -> list[object]:
        """Return the payments that its high-risk tool made."""
        lines = self.ledger.read_text().splitlines() if self.ledger.exists() else []
        return [json.loads(line) for line in lines]


@contextlib.contextmanager
def mcp_server(server: LiveServer, python: Path, wait: float = WAIT) -> Iterator[McpServer]:
    """Run an MCP server with this Python interpreter and its release of `mcp`."""
    port = free_port()
    uri, ledger = f"http://localhost:{port}/mcp", server.folder / f"ledger-{port}"
    resource = server.resources.add(
        uri, SCOPES, default_scopes=("notes:read",), unknown_clients=True, by=BY
    )
    agent = server.agent(resources=(uri,), scopes=("notes:pay",))
    settings = {
        "issuer": server.url,
        "audience": uri,
        "credentials": (resource.resource.client_id, resource.secret),
        "agent": agent.basic,
        "wait": wait,
    }
    command = [str(python), str(_PROGRAM), str(port), str(ledger), json.dumps(settings)]
    running = McpServer(uri, ledger, command)
    try:
        running.start()
        yield running
    finally:
        running.kill()
