"""An MCP server behind the kit, as a process, registered at a Sayso server.

Owns: its registration and its life. Never: its tools; those are in `mcp_tools.py`.
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
from tests.support.servers.server import BY, ROOT, LiveServer, free_port

SCOPES = {"notes:read": Risk.LOW, "notes:write": Risk.MEDIUM, "notes:pay": Risk.HIGH}
WAIT = 6.0
"""Seconds for which its calls wait for a person."""
_PROGRAM = Path(__file__).with_name("mcp_tools.py")


@dataclass(frozen=True, slots=True)
class McpServer:
    """A running MCP server."""

    uri: str
    ledger: Path

    @property
    def paid(self) -> list[object]:
        """What its high tool did."""
        lines = self.ledger.read_text().splitlines() if self.ledger.exists() else []
        return [json.loads(line) for line in lines]


@contextlib.contextmanager
def mcp_server(server: LiveServer, python: Path) -> Iterator[McpServer]:
    """An MCP server that runs with this interpreter's release of `mcp`."""
    port = free_port()
    made = McpServer(f"http://localhost:{port}/mcp", server.folder / f"ledger-{port}")
    resource = server.resources.add(
        made.uri, SCOPES, default_scopes=("notes:read",), unknown_clients=True, by=BY
    )
    agent = server.agent(resources=(made.uri,), scopes=("notes:pay",))
    settings = {
        "issuer": server.url,
        "audience": made.uri,
        "credentials": (resource.resource.client_id, resource.secret),
        "agent": agent.basic,
        "wait": WAIT,
    }
    process = subprocess.Popen(
        [python, _PROGRAM, str(port), str(made.ledger), json.dumps(settings)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        until(lambda: _serves(made.uri), 30)
        yield made
    finally:
        process.kill()
        process.wait()


def _serves(uri: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(uri, trust_env=False).status_code == httpx.codes.UNAUTHORIZED
    return False
