"""A real server process on an installation that a test administers while it runs."""

import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

import httpx

from server import app, outward
from server.app import Services
from server.services.audit import audit
from server.services.clients.agent_forms import NewAgent
from server.services.clients.agents import Agents
from server.services.operations.installation import Installation
from server.services.policy.action_types import ActionTypes
from server.services.resources.resources import Resources
from server.services.users.users import NewUser, Users
from server.settings import Settings
from tests.support.builders.databases import place_database
from tests.support.builders.installation import PAY, PAY_SCOPES, PAYMENT
from tests.support.servers import forking
from tests.support.servers.forking import Forked
from tests.support.servers.ports import free_port
from tests.support.servers.running import RUNNING
from tests.support.servers.serve import MappedClock

ROOT = Path(__file__).parents[3]
_LOG_TAIL = 2_000
"""How many characters of a log a failed test shows."""
BY = audit.OPERATOR
NO_ROOT_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For servers that speak plain HTTP; loading root certificates would take ten milliseconds."""


@dataclass(frozen=True, slots=True)
class AgentKey:
    """A registered agent and its secret."""

    id: str
    secret: str
    name: str

    @property
    def basic(self) -> tuple[str, str]:
        """Return the user name and password for HTTP Basic."""
        return self.id, self.secret


@dataclass(slots=True)
class LiveServer:
    """A server process, its folder, and the administration of its installation."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    """Additional arguments of `tests.support.servers.serve`."""
    forked: bool = False
    """Whether its processes are forks of one that has loaded the product (`forking.py`)."""
    port: int = field(default_factory=free_port)
    closing: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    """Closes what was opened only for this server."""
    process: subprocess.Popen[bytes] | Forked | None = None
    _services: Services | None = None
    _count: int = 0

    @property
    def url(self) -> str:
        """Return its URL, which is also its issuer."""
        return f"http://localhost:{self.port}"

    @property
    def clock(self) -> MappedClock:
        """Return the server's clock, which the test moves."""
        return MappedClock(self.folder / "clock")

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of its process, and of commands on the same installation."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("SAYSO_")
        }
        inherited.pop(
            "PYTHONDONTWRITEBYTECODE", None
        )  # otherwise every start compiles the whole program
        return {
            **inherited,
            "SAYSO_DATA_DIR": str(self.folder / "data"),
            "SAYSO_LOG_LEVEL": "warning",
            **{f"SAYSO_{name.upper()}": value for name, value in self.settings.items()},
        }

    def start(self) -> None:
        """Start the process and wait until it prints that it serves."""
        MappedClock(self.folder / "clock")
        with (self.folder / "server.log").open("ab") as log:
            self.process = self._begun(log)
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        assert self.settings.get("issuer", self.url) in line, (line, self.log)

    @property
    def log(self) -> str:
        """Return the log of the process; empty if the log is a device such as /dev/full."""
        path = self.folder / "server.log"
        return path.read_text() if path.is_file() else ""

    @property
    def state(self) -> str:
        """Return whether the process runs, and the end of its log."""
        ended = "stopped" if self.process is None else self.process.poll()
        state = "runs" if ended is None else f"ended: {ended}"
        return f"{self.url} {state}\n{self.log[-_LOG_TAIL:]}"

    def kill(self) -> None:
        """Send SIGKILL to the whole process group."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            if self.process.stdout is not None:
                self.process.stdout.close()
            self.process = None

    def suspend(self) -> None:
        """Send SIGSTOP to the whole process group: connections are accepted but get no answer."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Resume the process group after `suspend`."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGCONT)

    def stop(self) -> float:
        """Send SIGTERM; return how many seconds the process took to end."""
        assert self.process is not None
        began = time.monotonic()
        self.process.terminate()
        self.process.wait(timeout=30)
        took = time.monotonic() - began
        self.kill()
        return took

    @property
    def services(self) -> Services:
        """Return the services of the installation, as a command has them."""
        if self._services is None:
            values: dict[str, Any] = {
                "data_dir": self.folder / "data",
                "issuer": self.url,
                **{name: value for name, value in self.settings.items() if name == "database_url"},
            }
            if "database_url" not in self.settings:
                place_database(self.folder / "data" / "sayso.db", self.clock.now())
            self._services = app.build(Settings(**values), self.clock)
        return self._services

    def client(self, timeout: float = 70) -> httpx.Client:
        """Return an HTTP client that ignores the environment and is closed with the server."""
        client = httpx.Client(
            base_url=self.url, timeout=timeout, trust_env=False, verify=NO_ROOT_CERTIFICATES
        )
        self.closing.callback(client.close)
        return client

    def prepare(self) -> None:
        """Create the first administrator, a payment API and a payment type."""
        services = self.services
        Installation(services.store, services.secrets, services.signer).init("admin", by=BY)
        self.resources.add(PAY, PAY_SCOPES, {}, by=BY)
        ActionTypes(services.store).add(json.dumps(PAYMENT), by=BY)

    @property
    def resources(self) -> Resources:
        """Return the administration of protected APIs."""
        return Resources(self.services.store, self.services.secrets)

    def user(self, name: str = "") -> tuple[str, str]:
        """Add a user; return their name and an enrollment code."""
        users = Users(self.services.store, self.services.secrets)
        user, code = users.add(NewUser(name or self._fresh("user")), by=BY)
        return user.name, code.code

    def agent(self, **members: object) -> AgentKey:
        """Register an agent that may ask for the payment API."""
        registration: dict[str, Any] = {
            "name": self._fresh("agent"),
            "owners": ("admin",),
            "resources": (PAY,),
            "scopes": tuple(PAY_SCOPES),
            **members,
        }
        services = self.services
        checked = partial(outward.endpoint_problem, services.settings)
        agents = Agents(services.store, services.secrets, checked)
        added = agents.add(NewAgent(**registration), by=BY)
        return AgentKey(added.agent.id, added.secret or "", added.agent.name)

    def _begun(self, log: IO[bytes]) -> subprocess.Popen[bytes] | Forked:
        arguments = [str(self.port), str(self.folder / "clock"), *self.options]
        if self.forked:
            return forking.serve(arguments, self.environment, log.fileno())
        return subprocess.Popen(
            [sys.executable, "-m", "tests.support.servers.serve", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )

    def _fresh(self, kind: str) -> str:
        self._count += 1
        return f"{kind}-{self._count}"


@contextlib.contextmanager
def live_server(
    folder: Path, *, options: tuple[str, ...] = (), forked: bool = False, **settings: str
) -> Iterator[LiveServer]:
    """Run a prepared server while the block runs."""
    server = LiveServer(folder, settings, options, forked)
    server.prepare()
    server.start()
    RUNNING.append(server)
    try:
        yield server
    finally:
        RUNNING.remove(server)
        server.closing.close()
        server.kill()
        if server._services is not None:
            server._services.store.close()


@contextlib.contextmanager
def new_server(folder: Path) -> Iterator[LiveServer]:
    """Run a server that has only an administrator while the block runs."""
    server = LiveServer(folder, forked=True)
    services = server.services
    Installation(services.store, services.secrets, services.signer).init("admin", by=BY)
    server.start()
    try:
        yield server
    finally:
        server.closing.close()
        server.kill()
        services.store.close()
