"""The peer: node-oidc-provider in memory on its own Node.js, installed by `scripts/peer`.

Owns: starting `peer/server.mjs`, which prepares requests and tokens. Never: what is measured.
"""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.servers.ports import free_port
from tests.support.servers.server import AgentKey

API = "https://pay.example"
_FOLDER = Path(__file__).parent / "peer"
_KEY = AgentKey("agent", "a-secret-of-the-agent-that-is-long-enough", "agent")


@dataclass(frozen=True, slots=True)
class Peer:
    """A running peer and its only client."""

    process: subprocess.Popen[str]
    port: int
    key: AgentKey = _KEY
    user: str = "user"

    def make(self, what: str, count: int) -> list[str]:
        """Prepare `pending` or `approved` requests, or `subject` or `opaque` tokens."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"make": what, "count": count}) + "\n")
        self.process.stdin.flush()
        values: list[str] = json.loads(self._line())
        return values

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@contextlib.contextmanager
def peer() -> Iterator[Peer]:
    """Run the peer while the block runs."""
    port = free_port()
    with subprocess.Popen(
        [_node(), "server.mjs", str(port)],
        cwd=_FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        started = Peer(process, port)
        try:
            if started._line() != "ready\n":
                raise SystemExit("node-oidc-provider did not start. Run scripts/peer first.")
            yield started
        finally:
            process.kill()


def _node() -> str:
    """Return the pinned Node.js if the platform has one, else the system's."""
    pinned = sorted((_FOLDER / "node_modules").glob("node-*/bin/node"))
    program = str(pinned[0]) if pinned else shutil.which("node")
    if program is None:
        raise SystemExit("The benchmarks need Node.js. Run scripts/peer first.")
    return program
