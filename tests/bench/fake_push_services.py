"""Push services for `push_backlog.py`: some accept messages, and one hangs.

`python -m tests.bench.fake_push_services COUNT` prints the port of the one that hangs, then the
ports of COUNT that accept everything immediately, and serves until stdin is closed. It reads each
message completely and stores none: other tests check the contents of messages.
"""

import asyncio
import sys

_LENGTH = b"content-length: "
_CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def _read(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    start = head.lower().index(_LENGTH) + len(_LENGTH)
    await reader.readexactly(int(head[start : head.index(b"\r", start)]))


async def _take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _read(reader)
    writer.write(_CREATED)
    await writer.drain()
    writer.close()


async def _hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _read(reader)
    await reader.read()  # until the sender closes the connection
    writer.close()


async def _serve(count: int) -> None:
    responses = (_hang, *[_take] * count)
    servers = [await asyncio.start_server(response, "127.0.0.1", 0) for response in responses]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    sys.stdout.write(" ".join(map(str, ports)) + "\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
