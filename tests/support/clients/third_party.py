"""Third-party software, as processes: OAuth clients that run a flow, and a push service.

Owns: the protocol with the programs in `tests/conformance/clients`, one JSON document a line.
Without Node.js or the packages a test fails with the remedy: `scripts/clients`.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.support.checks.waiting import until
from tests.support.servers.ports import free_port
from tests.support.servers.server import ROOT, AgentKey, LiveServer

FOLDER = Path(__file__).parents[2] / "conformance" / "clients"
LIBRARIES = ("oauth4webapi", "openid-client")
MCP_PYTHONS = {
    "mcp-python-1": ROOT / ".venv/mcp-python-1/bin/python",
    "mcp-python-2": Path(sys.executable),
}
AGENT_FRAMEWORKS = ROOT / ".venv/agent-frameworks/bin/python"
"""The Python that runs the recipes for agent frameworks."""
FASTMCPS = {"fastmcp-2": MCP_PYTHONS["mcp-python-1"], "fastmcp-4": AGENT_FRAMEWORKS}
"""Releases of the package fastmcp, each with the Python that has its release of `mcp`."""
MCP_TYPESCRIPT = "@modelcontextprotocol/sdk"
MCP_TYPESCRIPT_2 = "@modelcontextprotocol/client"
MCP_CLIENTS = (*MCP_PYTHONS, "mcp-python-2@2025-11-25", "mcp-typescript", "mcp-typescript-2")
"""MCP SDKs. Both Python releases need their own environment; 2.x speaks two MCP versions."""
MCP_SUITE = "@modelcontextprotocol/conformance"
"""MCP's own conformance tests, which `mcp_suite.py` runs."""
JOSE = "jose"
"""Verifies tokens in the TypeScript of `docs/my-api.md`."""
PUSH_SERVICE = "web-push-testing"
AXE = "axe-core"
"""Checks the accessibility of pages; `page_checks.py` loads it into a browser."""
_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a client's output: an event and its members."""

    event: str
    members: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.members[name]


@dataclass(slots=True)
class ForeignClient:
    """A third-party client that runs one flow."""

    process: subprocess.Popen[str]
    events: list[Line] = field(default_factory=list)

    def read_event(self, event: str) -> Line:
        """Return the next line of the output, which must be this event."""
        assert self.process.stdout is not None
        output = self.process.stdout.readline()
        assert output, f"the client ended without the event {event}"
        members = json.loads(output)
        line = Line(members.pop("event"), members)
        self.events.append(line)
        assert line.event == event, (event, self.events)
        return line

    def resume(self, **members: object) -> None:
        """Send it one document; an empty one makes it poll again."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(members) + "\n")
        self.process.stdin.flush()


@contextlib.contextmanager
def run_client(library: str, flow: str, **settings: object) -> Iterator[ForeignClient]:
    """Run a client through this flow while the block runs.

    Append `@VERSION` to the library name to use an older MCP version than the client's latest.
    """
    library, _, version = library.partition("@")
    if version:
        settings["mode"] = "legacy"
    process = subprocess.Popen(
        _program(library),
        cwd=FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    client = ForeignClient(process)
    try:
        client.resume(flow=flow, **settings)
        yield client
    finally:
        process.kill()
        process.communicate(timeout=_TIMEOUT_SECONDS)


@contextlib.contextmanager
def running_typescript(
    text: str, folder: Path, preloaded: str = "", **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """Run a TypeScript program, as a reader would save and start it, while the block runs.

    `preloaded` is JavaScript that runs before it.
    """
    (folder / "page.mts").write_text(text)
    (folder / "preloaded.mjs").write_text(preloaded)
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    process = subprocess.Popen(
        [
            typescript_node(),
            "--import",
            "./preloaded.mjs",
            "--disable-warning",
            "ExperimentalWarning",
            "page.mts",
        ],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=_TIMEOUT_SECONDS)


@contextlib.contextmanager
def foreign_push_service() -> Iterator[httpx.Client]:
    """Run a third-party push service while the block runs; yield an HTTP client for it.

    It checks the sender's key (RFC 8292) and decrypts messages (RFC 8291).
    """
    port = free_port()
    program = f"node_modules/{PUSH_SERVICE}/src/bin/server.js"
    process = subprocess.Popen([node(), program, str(port)], cwd=FOLDER, stdout=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://localhost:{port}", trust_env=False, timeout=70) as http:
            until(lambda: _serves(http), _TIMEOUT_SECONDS)
            yield http
    finally:
        process.kill()
        process.wait()


def _serves(http: httpx.Client) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return http.post("/status").is_success
    return False


def client_settings(
    server: LiveServer, key: AgentKey, method: str = "client_secret_basic"
) -> dict[str, object]:
    """Return the settings of a client: the server and the client's credentials."""
    return {
        "issuer": server.url,
        "client_id": key.id,
        "secret": key.secret,
        "method": method,
        "metadata": {"id_token_signed_response_alg": "ES256"},
    }


def _program(library: str) -> list[str]:
    if library not in MCP_PYTHONS:
        return [node(), f"{library}.mjs"]
    python = MCP_PYTHONS[library]
    assert python.exists(), f"{library} is not installed. Run `scripts/clients` once."
    return [str(python), "mcp-python.py"]


def node() -> str:
    """Return this machine's Node.js; fail if it or a package is missing."""
    program = shutil.which("node")
    assert program, "Node.js is not installed. `scripts/clients` installs it, or says how."
    _check_packages(*LIBRARIES, PUSH_SERVICE, MCP_TYPESCRIPT, MCP_TYPESCRIPT_2)
    return program


def typescript_node() -> str:
    """Return the installed Node.js 22 or newer, which runs TypeScript, else the system's."""
    _check_packages(*LIBRARIES, JOSE, MCP_SUITE, MCP_TYPESCRIPT)
    own = sorted((FOLDER / "node_modules").glob("node-linux-*/bin/node"))
    return str(own[0]) if own else node()


def _check_packages(*packages: str) -> None:
    missing = [name for name in packages if not (FOLDER / "node_modules" / name).is_dir()]
    assert not missing, f"{missing} are not installed. Run `scripts/clients` once."
