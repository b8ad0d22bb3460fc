"""The other side of a benchmark, in a process of its own: keep-alive connections that never rest.

`python -m tests.bench.load_client PORT CONNECTIONS SECONDS REQUESTS`. REQUESTS is a file with one
JSON list of request texts. It warms up, prints `ready`, waits for a line, sends until the time or
the requests are over, and prints one JSON object. Each request is sent at most once in a run; where
they may be repeated, the file says `"again": true`.
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

_WARM_UP = 300
_LENGTH = b"content-length: "


class _Run:
    """Counts and latencies of one run."""

    def __init__(self, seconds: float) -> None:
        self.ends = time.perf_counter() + seconds
        self.latencies: list[float] = []
        self.answers: Counter[str] = Counter()

    def note(self, began: float, head: bytes, body: bytes) -> None:
        """One answer."""
        self.latencies.append(time.perf_counter() - began)
        status = head[9:12].decode()
        found = json.loads(body) if status != "200" else {}
        self.answers[f"{status} {found.get('error', '')}".strip()] += 1


async def _answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    place = head.lower().index(_LENGTH) + len(_LENGTH)
    length = int(head[place : head.index(b"\r", place)])
    return head, await reader.readexactly(length)


async def _one_line(port: int, requests: Iterator[bytes], run: _Run) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < run.ends and (request := next(requests, None)) is not None:
        began = time.perf_counter()
        writer.write(request)
        run.note(began, *await _answer(reader))
    writer.close()


async def _all(port: int, connections: int, requests: Iterator[bytes], seconds: float) -> _Run:
    run = _Run(seconds)
    began = time.perf_counter()
    await asyncio.gather(*(_one_line(port, requests, run) for _ in range(connections)))
    run.ends = time.perf_counter() - began
    return run


def _report(run: _Run) -> dict[str, Any]:
    ordered = sorted(run.latencies)
    return {
        "count": len(ordered),
        "seconds": run.ends,
        "p50": ordered[len(ordered) // 2] * 1000,
        "p99": ordered[len(ordered) * 99 // 100] * 1000,
        "answers": dict(run.answers),
    }


def main(arguments: list[str]) -> None:
    """Warm up, wait for the word, run, report."""
    port, connections, seconds = int(arguments[0]), int(arguments[1]), float(arguments[2])
    file = json.loads(Path(arguments[3]).read_text())
    texts = [text.encode() for text in file["requests"]]
    requests = itertools.cycle(texts) if file["again"] else iter(texts)
    asyncio.run(_all(port, connections, itertools.islice(requests, _WARM_UP), 30))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    run = asyncio.run(_all(port, connections, requests, seconds))
    sys.stdout.write(json.dumps(_report(run)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
