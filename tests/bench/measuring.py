"""One measurement: a server, a load from another process, and what that cost the server."""

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.bench.processes import memory_mib, processor_us
from tests.support.load import WITHOUT_LIMITS
from tests.support.server import ROOT, LiveServer, free_port, live_server

CONNECTIONS = 16
SECONDS = 3.0
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Target:
    """A server that runs: its first process, its port, and the next lot of requests for it."""

    name: str
    process: int
    port: int
    lot: Callable[[], list[str]]
    again: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """What the runs of one target came to: medians over the rounds."""

    name: str
    count: int
    cpu_us: float
    p50_ms: float
    p99_ms: float
    memory_mib: float
    answers: Counter[str]


@dataclass(frozen=True, slots=True)
class _Run:
    count: int
    cpu_us: float
    p50_ms: float
    p99_ms: float
    answers: Counter[str]


@contextlib.contextmanager
def bare_server() -> Iterator[Target]:
    """The Flask view that does nothing."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.bare", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        _until_served(port)
        request = (
            "POST /bare HTTP/1.1\r\nHost: localhost\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b"
        )
        yield Target("bare Flask view", process.pid, port, lambda: [request], again=True)
    finally:
        process.terminate()
        process.wait(15)


@contextlib.contextmanager
def product() -> Iterator[LiveServer]:
    """Our server on SQLite in a temporary folder, without limits on how often one may ask."""
    with (
        tempfile.TemporaryDirectory(prefix="sayso-bench-") as folder,
        live_server(Path(folder), **WITHOUT_LIMITS) as server,
    ):
        yield server


def compare(targets: Sequence[Target]) -> list[Figures]:
    """Measure the targets in turn, round after round, so that all meet the same machine."""
    runs: dict[str, list[_Run]] = {target.name: [] for target in targets}
    for _ in range(ROUNDS):
        for target in targets:
            runs[target.name].append(_run(target))
    return [_figures(target, runs[target.name]) for target in targets]


def _figures(target: Target, runs: list[_Run]) -> Figures:
    return Figures(
        name=target.name,
        count=sum(run.count for run in runs),
        cpu_us=statistics.median(run.cpu_us for run in runs),
        p50_ms=statistics.median(run.p50_ms for run in runs),
        p99_ms=statistics.median(run.p99_ms for run in runs),
        memory_mib=memory_mib(target.process),
        answers=sum((run.answers for run in runs), Counter()),
    )


def _run(target: Target) -> _Run:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"requests": target.lot(), "again": target.again}, file)
        file.flush()
        arguments = [str(target.port), str(CONNECTIONS), str(SECONDS), file.name]
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
            before = processor_us(target.process)
            client.stdin.write("\n")
            client.stdin.flush()
            told = json.loads(client.stdout.readline())
            used = processor_us(target.process) - before
    count = told["count"]
    return _Run(count, used / count, told["p50"], told["p99"], Counter(told["answers"]))


def _until_served(port: int) -> None:
    for _ in range(400):
        with contextlib.suppress(httpx.TransportError):
            httpx.post(f"http://127.0.0.1:{port}/bare", data={"a": "b"}, trust_env=False)
            return
        time.sleep(0.05)
    raise RuntimeError(f"nobody serves port {port}")
