"""The client of a benchmark, in its own process: busy keep-alive connections.

`python -m tests.bench.load_client PORT CONNECTIONS SECONDS REQUESTS`. REQUESTS is a file with one
JSON object: the request texts, and the expected response (`status`, and a text in `body`). It warms
up, prints `ready`, waits for a line, sends until the time or the requests are used up, and prints
one JSON object. Each request is sent at most once in a run, unless the file has `"again": true`.
Every response is counted under a label, also those of the warm-up.
"""

import asyncio
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.responses import Expected

_WARM_UP = 300
_LENGTH = b"content-length: "


_LABEL_LENGTH = 120
"""How many characters of an unexpected response go into its label."""


class _Run:
    """Counts and latencies of one run."""

    def __init__(self, seconds: float, expected: Expected) -> None:
        self.ends = time.perf_counter() + seconds
        self.latencies: list[float] = []
        self.responses: Counter[str] = Counter()
        self._expected = expected

    def note(self, began: float, head: bytes, body: bytes) -> None:
        """Record one response."""
        self.latencies.append(time.perf_counter() - began)
        status, text = int(head[9:12]), body.decode("utf-8", "replace")
        label = self._expected.label if self._expected.matches(status, text) else f"{status} {text}"
        self.responses[label[:_LABEL_LENGTH]] += 1


async def _read_response(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    start = head.lower().index(_LENGTH) + len(_LENGTH)
    length = int(head[start : head.index(b"\r", start)])
    return head, await reader.readexactly(length)


async def _use_connection(port: int, requests: Iterator[bytes], run: _Run) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < run.ends and (request := next(requests, None)) is not None:
        began = time.perf_counter()
        writer.write(request)
        run.note(began, *await _read_response(reader))
    writer.close()


async def _use_connections(
    port: int, connections: int, requests: Iterator[bytes], run: _Run
) -> _Run:
    began = time.perf_counter()
    await asyncio.gather(*(_use_connection(port, requests, run) for _ in range(connections)))
    run.ends = time.perf_counter() - began
    return run


def _report(run: _Run, warm_up: _Run) -> dict[str, Any]:
    ordered = sorted(run.latencies)
    return {
        "count": len(ordered),
        "seconds": run.ends,
        "p50": ordered[len(ordered) // 2] * 1000 if ordered else 0,
        "p99": ordered[len(ordered) * 99 // 100] * 1000 if ordered else 0,
        "responses": dict(run.responses + warm_up.responses),
    }


def main(arguments: list[str]) -> None:
    """Warm up, wait for the line, run, report."""
    port, connections, seconds = int(arguments[0]), int(arguments[1]), float(arguments[2])
    file = json.loads(Path(arguments[3]).read_text())
    texts = [text.encode() for text in file["requests"]]
    expected = Expected(file["status"], file["body"])
    requests = itertools.cycle(texts) if file["again"] else iter(texts)
    count = _WARM_UP if file["again"] else min(_WARM_UP, len(texts) // 4)
    first = itertools.islice(requests, count)
    warm_up = asyncio.run(_use_connections(port, connections, first, _Run(30, expected)))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    run = asyncio.run(_use_connections(port, connections, requests, _Run(seconds, expected)))
    sys.stdout.write(json.dumps(_report(run, warm_up)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
