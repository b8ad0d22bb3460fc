"""A real HTTP server on the loopback that does what a test tells it, and remembers what it got."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Behaviour = Callable[["Handler"], None]


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came."""

    method: str
    path: str
    headers: Message
    body: bytes


@dataclass(slots=True)
class Receiver:
    """The far end of a hook. `behaviour` may be changed at any time."""

    port: int = 0
    behaviour: Behaviour = field(default_factory=lambda: answer(200))
    got: list[Received] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def url(self, host: str = "127.0.0.1") -> str:
        """Where it listens."""
        return f"http://{host}:{self.port}/hook"


class Handler(BaseHTTPRequestHandler):
    """Remembers the request, then behaves."""

    receiver: Receiver

    def do_GET(self) -> None:
        """Any request without a body."""
        self._serve(b"")

    def do_POST(self) -> None:
        """Any request with one."""
        self._serve(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self, body: bytes) -> None:
        self.receiver.got.append(Received(self.command, self.path, self.headers, body))
        with contextlib.suppress(OSError):
            self.receiver.behaviour(self)


def answer(status: int, **headers: str) -> Behaviour:
    """Answer with this status."""

    def behave(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return behave


def hang(handler: Handler) -> None:
    """Never answer."""
    handler.receiver.over.wait(60)


def drip(handler: Handler) -> None:
    """Answer 200 with a body that comes one byte at a time, for ever."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while not handler.receiver.over.is_set():
        handler.wfile.write(b".")
        handler.wfile.flush()
        time.sleep(0.05)


def flood(handler: Handler) -> None:
    """Answer 200 with a body that has no end."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.receiver.over.is_set():
        handler.wfile.write(b"." * 65_536)


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver that answers 200 until told otherwise."""
    state = Receiver()
    handler = type("Bound", (Handler,), {"receiver": state})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        state.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield state
        state.over.set()
        server.shutdown()
        thread.join(5)
