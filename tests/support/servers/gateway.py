"""The gateway as a process, between a Sayso server and an MCP server that does not know Sayso.

Owns: registering, configuring, starting and stopping them. Never: the calls through the gateway.
"""

import contextlib
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from server.protocol.policy.risks import Risk
from tests.support.checks.waiting import until
from tests.support.servers.ports import free_port
from tests.support.servers.server import BY, NO_ROOT_CERTIFICATES, LiveServer
from tests.support.servers.upstream_tools import KEY

SCOPES = {"tools:read": Risk.LOW, "tools:write": Risk.MEDIUM}
WAIT = 3.0
"""How many seconds its calls wait for a person."""
_TOOLS = Path(__file__).with_name("upstream_tools.py")
_URL = "http://localhost:{}/mcp"
_EDITS = {
    'action = ""': 'action = "payment.transfer"',
    '# members = { to = "..." }': 'members = { to = "payee" }',
    "issuer =": f"wait = {WAIT}\nissuer =",
}
"""The text that `init` prints → the text that an administrator fills in."""


@dataclass(slots=True)
class RunningGateway:
    """A gateway process that can be killed and started again."""

    uri: str
    folder: Path
    environment: dict[str, str]
    serve: str
    """The command that starts it."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def paid(self) -> list[list[object]]:
        """Return the payments that the high-risk tool made."""
        return [json.loads(line) for line in (self.folder / "ledger").read_text().splitlines()]

    @property
    def log(self) -> list[dict[str, object]]:
        """Return the log entries of tool calls."""
        return [json.loads(line) for line in (self.folder / "log").read_text().splitlines()]

    def reset(self) -> None:
        """Empty the ledger and the log, and start the gateway if it is not running."""
        if self.process is None:
            self.start()
        for name in ("ledger", "log"):
            (self.folder / name).write_text("")

    def init(self, line: str) -> str:
        """Return the file that this command prints."""
        result = subprocess.run(
            self._program(line),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return result.stdout

    def start(self, stderr: int | None = None) -> None:
        """Start it, and wait until it is ready."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self._program(self.serve),
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=stderr,
            )
        until(lambda: status_of(self.uri) == httpx.codes.UNAUTHORIZED, 30)

    def children(self) -> list[int]:
        """Return the IDs of the processes that it started."""
        if self.process is None:
            return []
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(part) for part in children.split()]

    def kill(self) -> None:
        """Kill the process with SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _program(self, line: str) -> list[str]:
        """Return the argument list for a shell command that begins with `sayso`."""
        name, *words = shlex.split(line)
        assert name == "sayso"
        return [sys.executable, "-m", "server", *words]


@contextlib.contextmanager
def running_gateway(
    server: LiveServer, folder: Path, *, stdio: bool = False
) -> Iterator[RunningGateway]:
    """Run a gateway in front of a new MCP server, with a completed `init` file."""
    port, gateway_port = free_port(), free_port()
    uri = f"http://localhost:{gateway_port}/mcp"
    server.resources.add(uri, SCOPES, default_scopes=("tools:read",), unknown_clients=True, by=BY)
    agent = server.agent(resources=(uri,), serves=(uri,), scopes=())
    command = shlex.join([sys.executable, str(_TOOLS), "stdio", "ledger"])
    upstream = f"--stdio {shlex.quote(command)}" if stdio else f"--upstream {_URL.format(port)}"
    gateway = RunningGateway(
        uri,
        folder,
        environment_of(server, *agent.basic),
        f"sayso gateway {upstream} --config gateway.toml --port {gateway_port}",
    )
    init = f"sayso gateway init {upstream}{'' if stdio else ' --value-env UPSTREAM_AUTHORIZATION'}"
    with contextlib.nullcontext() if stdio else running_upstream(folder, port):
        text = gateway.init(f"{init} --issuer {server.url} --resource {uri}")
        for old, new in _EDITS.items():
            assert old in text
            text = text.replace(old, new, 1)
        (folder / "gateway.toml").write_text(text)
        try:
            gateway.start()
            yield gateway
        finally:
            gateway.kill()


@contextlib.contextmanager
def running_upstream(folder: Path, port: int) -> Iterator[None]:
    """Run an MCP server that does not know Sayso."""
    process = subprocess.Popen([sys.executable, _TOOLS, str(port), folder / "ledger"])
    try:
        until(lambda: status_of(_URL.format(port)) == httpx.codes.UNAUTHORIZED, 60)
        yield
    finally:
        process.kill()
        process.wait()


def environment_of(server: LiveServer, agent_id: str, secret: str) -> dict[str, str]:
    """Return the environment of a gateway with this credential."""
    return {
        **server.environment,
        "SAYSO_GATEWAY_CREDENTIALS": f"{agent_id}:{secret}",
        "UPSTREAM_AUTHORIZATION": KEY,
    }


def status_of(url: str) -> int:
    """Return the status of a GET, or 0 while nothing answers."""
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url, trust_env=False, verify=NO_ROOT_CERTIFICATES).status_code
    return 0
