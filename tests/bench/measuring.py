"""One measurement: a server, a load from another process, and the server's cost."""

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.bench.processes import memory_mib, processor_us
from tests.bench.responses import Expected, UnexpectedResponses, check
from tests.support.servers.load import WITHOUT_LIMITS
from tests.support.servers.ports import free_port
from tests.support.servers.server import ROOT, LiveServer, live_server

CONNECTIONS = 16
SECONDS = 3.0
ROUNDS = 3
LOTS = ROUNDS + 1
"""The first round warms the caches of all targets and is not counted."""


@dataclass(frozen=True, slots=True)
class Target:
    """A running server, its next batch of requests, and the expected response."""

    name: str
    process: int
    port: int
    expected: Expected
    lot: Callable[[], list[str]]
    again: bool = False
    database: int = 0
    """The first process of a database server whose processor time counts too; 0 for none."""

    def processor_us(self) -> int:
        """Return the processor time used until now, in microseconds."""
        return sum(processor_us(process) for process in (self.process, self.database) if process)


@dataclass(frozen=True, slots=True)
class Figures:
    """Results of one target: medians over the rounds."""

    name: str
    count: int
    rounds_us: tuple[float, ...]
    """Processor time of one request, in microseconds, in each round."""
    p50_ms: float
    p99_ms: float
    memory_mib: float

    @property
    def cpu_us(self) -> float:
        """Return the median of the rounds."""
        return statistics.median(self.rounds_us)


@dataclass(frozen=True, slots=True)
class _Run:
    count: int
    cpu_us: float
    p50_ms: float
    p99_ms: float


@contextlib.contextmanager
def bare_server() -> Iterator[int]:
    """Serve the Flask view that does nothing; yield the ID of its first process."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.bare", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        _until_served(port)
        yield process.pid
    finally:
        process.terminate()
        process.wait(15)


@contextlib.contextmanager
def product(**settings: str) -> Iterator[LiveServer]:
    """Run our server on SQLite in a temporary folder, without rate limits."""
    with (
        tempfile.TemporaryDirectory(prefix="sayso-bench-") as folder,
        live_server(Path(folder), **{**WITHOUT_LIMITS, **settings}) as server,
    ):
        yield server


def compare(
    targets: Sequence[Target], *, rounds: int = ROUNDS, seconds: float = SECONDS
) -> list[Figures]:
    """Measure the targets in turn, round after round, so that all run under the same conditions.

    The first round is not counted. Raises `UnexpectedResponses` if there are any.
    """
    runs: dict[str, list[_Run]] = {target.name: [] for target in targets}
    for _ in range(rounds + 1):
        for target in targets:
            runs[target.name].append(_run(target, seconds))
    return [_figures(target, runs[target.name][1:]) for target in targets]


def _figures(target: Target, runs: list[_Run]) -> Figures:
    return Figures(
        name=target.name,
        count=sum(run.count for run in runs),
        rounds_us=tuple(run.cpu_us for run in runs),
        p50_ms=statistics.median(run.p50_ms for run in runs),
        p99_ms=statistics.median(run.p99_ms for run in runs),
        memory_mib=memory_mib(target.process),
    )


def _run(target: Target, seconds: float) -> _Run:
    report, processor_time = _load(target, seconds)
    check(target.name, target.expected.label, report["responses"])
    count = report["count"]
    if not count:
        raise UnexpectedResponses(f"{target.name}: the warm-up used up all requests")
    return _Run(count, processor_time / count, report["p50"], report["p99"])


def _load(target: Target, seconds: float) -> tuple[dict[str, Any], int]:
    """Return the report of the load client, and the processor time of the server during it."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(
            {"requests": target.lot(), "again": target.again, **asdict(target.expected)}, file
        )
        file.flush()
        arguments = [str(target.port), str(CONNECTIONS), str(seconds), file.name]
        client = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.load_client", *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with client:
            assert client.stdin is not None
            assert client.stdout is not None
            assert client.stdout.readline() == "ready\n", "the load did not get ready"
            before = target.processor_us()
            client.stdin.write("\n")
            client.stdin.flush()
            report = json.loads(client.stdout.readline())
            return report, target.processor_us() - before


def _until_served(port: int) -> None:
    for _ in range(400):
        with contextlib.suppress(httpx.TransportError):
            httpx.post(f"http://127.0.0.1:{port}/bare", data={"a": "b"}, trust_env=False)
            return
        time.sleep(0.05)
    raise RuntimeError(f"nobody serves port {port}")
