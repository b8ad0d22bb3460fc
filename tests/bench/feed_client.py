"""The approvers and the agent of the feed benchmark, in their own process.

`python -m tests.bench.feed_client PORT FILE`. FILE has one JSON object: for each approver the URL
and headers of a socket, and for each request its bytes as text and the index of its approver. It
connects, prints `ready`, waits for a line, sends requests at a steady pace, and prints the latency
of each frame, measured from sending its request, and the counts of responses and events.
"""

import asyncio
import contextlib
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

_PAUSE_SECONDS = 0.02
_TIMEOUT_SECONDS = 10


async def _next_event(socket: ClientConnection) -> tuple[str, float]:
    """Return the next event and the time it arrived."""
    while True:
        frame = json.loads(await socket.recv())
        if frame["type"] == "event":
            return f"{frame['event']}, held {frame['held']}", time.perf_counter()


async def _send_request(port: int, request: bytes) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    response = await reader.read()
    writer.close()
    return response[9:12].decode()


async def _measure(port: int, plan: dict[str, Any]) -> list[tuple[str, float]]:
    async with contextlib.AsyncExitStack() as open_sockets:
        sockets = [
            await open_sockets.enter_async_context(
                connect(
                    approver["url"],
                    additional_headers=approver["headers"],
                    proxy=None,
                    compression=None,
                )
            )
            for approver in plan["approvers"]
        ]
        for socket in sockets:
            await socket.recv()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        return [await _time_request(port, request, sockets) for request in plan["requests"]]


async def _time_request(
    port: int, entry: dict[str, Any], sockets: list[ClientConnection]
) -> tuple[str, float]:
    await asyncio.sleep(random.random() * 2 * _PAUSE_SECONDS)  # noqa: S311  # a random pause, not a secret
    sent_at = time.perf_counter()
    frame = asyncio.create_task(_next_event(sockets[entry["approver"]]))
    status = await _send_request(port, entry["request"].encode())
    if status != "200":
        frame.cancel()
        return status, 0.0
    event, received_at = await asyncio.wait_for(frame, _TIMEOUT_SECONDS)
    return f"{status} {event}", (received_at - sent_at) * 1000


def main(arguments: list[str]) -> None:
    """Connect, wait for the line, send requests, report."""
    plan = json.loads(Path(arguments[1]).read_text())
    results = asyncio.run(_measure(int(arguments[0]), plan))
    responses = Counter(label for label, _ in results)
    report = {"latencies": [latency for _, latency in results], "responses": responses}
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
