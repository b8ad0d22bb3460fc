"""The gevent worker: reads and refuses requests, enforces timeouts, and shuts down gracefully.

A client has 15 seconds to send the request line, 15 for the headers and 15 for the body. After its
first request, a connection may be idle for 75 seconds. These timeouts do not end WebSockets and
long polls, because their requests are complete. A connection is closed after a malformed or
oversized head.

Shutdown: readiness fails, long polls are answered, WebSockets are closed with 1012, running
requests finish, idle connections are closed.
"""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import gevent
from gevent.resolver.thread import Resolver
from gevent.threadpool import ThreadPool
from gunicorn.workers.ggevent import GeventPyWSGIWorker, PyWSGIHandler, PyWSGIServer

from server import telemetry
from server.http.route import MAX_BODY_BYTES, OVERLOADED, WAITED
from server.serving import heads
from server.serving.bodies import Body, Collected, TooSlow
from server.serving.client_queues import ClaimedClient, ClientQueues, QueueFull, claimed_client
from server.serving.heads import BadHead, Head

if TYPE_CHECKING:
    from server.http.site import Site


MAX_BYTES: Final = 32 * 1024 * 1024
"""The maximum size of the heads and bodies of all incomplete requests in one process."""


class Receiver(Protocol):
    """A connection that receives a request."""

    def drop(self) -> None:
        """Stop receiving."""


class TooMuchData(ValueError):
    """The limit is reached, and this connection holds the most data."""


@dataclass(slots=True)
class IncompleteRequests:
    """Connection → the bytes of its incomplete request."""

    limit: int = MAX_BYTES
    total: int = 0
    open: dict[Receiver, int] = field(default_factory=dict)
    closing: dict[Receiver, int] = field(default_factory=dict)
    """Dropped connections; their bytes are counted until they are closed."""

    @property
    def full(self) -> bool:
        """Whether receiving must pause until dropped connections are closed."""
        return self.total > self.limit

    def add(self, receiver: Receiver, count: int) -> None:
        """Count `count` more bytes. Raises `TooMuchData` if this connection must be closed."""
        if receiver not in self.closing:
            self.open[receiver] = self.open.get(receiver, 0) + count
            self.total += count
            self._drop_largest()
        if receiver in self.closing:
            raise TooMuchData("too much data in incomplete requests")

    def remove(self, receiver: Receiver) -> None:
        """Stop counting a connection, because its request is complete or it is closed."""
        self.total -= self.open.pop(receiver, 0) + self.closing.pop(receiver, 0)

    def _drop_largest(self) -> None:
        while self.total - sum(self.closing.values()) > self.limit:
            largest = max(self.open, key=self.open.__getitem__)
            self.closing[largest] = self.open.pop(largest)
            largest.drop()


_READING_SECONDS = 15.0
_IDLE_SECONDS = 75.0
_SPARE_LOOKUPS = 16
"""Threads for name lookups other than deliveries, for example for registrations."""
_LINGER_SECONDS = 2.0
_PAUSE_SECONDS = 0.01
_REASONS = {400: "Bad Request", 431: "Request Header Fields Too Large"}


class _Server(PyWSGIServer):  # type: ignore[misc]  # gunicorn has no types
    """Tracks idle connections."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.idle: dict[_Handler, None] = {}
        """Idle connections, starting with the one that has been idle longest."""
        self.incomplete = IncompleteRequests()
        _SERVERS.append(self)
        self.ending = False

    def make_room(self) -> None:
        """Close the longest idle connection if there is no capacity for a new one."""
        if self.full() and self.idle:
            longest = next(iter(self.idle))
            del self.idle[longest]
            longest.drop()

    def end(self) -> None:
        """Close idle connections. Other connections close after their request."""
        self.ending = True
        for handler in tuple(self.idle):
            handler.drop()


class _Handler(PyWSGIHandler):  # type: ignore[misc]  # gunicorn has no types
    has_served_request = False
    wsgi_input: Body
    headers: Head
    status: bytes | None

    def read_requestline(self) -> bytes:
        """Return the next request line; empty after the timeout or during shutdown."""
        if self.has_served_request and self.server.ending:
            return b""
        timeout = _IDLE_SECONDS if self.has_served_request else _READING_SECONDS
        self.has_served_request = True
        self.server.idle[self] = None
        line: bytes = b""
        try:
            with gevent.Timeout(timeout, False):  # noqa: FBT003  # False: no exception
                line = super().read_requestline()
        finally:
            self.server.idle.pop(self, None)
        return line

    def read_request(self, raw_requestline: str) -> bool:
        """Read the head. Raises ValueError if it is invalid, OSError after the timeout."""
        with gevent.Timeout(_READING_SECONDS, TooSlow):
            self.received(len(raw_requestline))
            lines = heads.read_lines(self._read_line, len(raw_requestline))
        self.headers = head = heads.parse(raw_requestline, lines)
        self.command, self.path, self.request_version = head.method, head.path, head.version
        self.content_length, self.close_connection = head.content_length, head.closes
        return True

    def _read_line(self, max_bytes: int) -> bytes:
        part: bytes = self.rfile.readline(max_bytes)
        self.received(len(part))
        return part

    def received(self, count: int) -> None:
        """Count the memory of an incomplete request, and wait while the limit is exceeded."""
        incomplete = self.server.incomplete
        incomplete.add(self, count)
        while incomplete.full:
            gevent.sleep(_PAUSE_SECONDS)
            incomplete.add(self, 0)

    def _headers(self) -> Iterator[tuple[str, str]]:
        return self.headers.variables()

    def get_environ(self) -> dict[str, object]:
        """Return the WSGI environment, without the body, which is read later."""
        environ: dict[str, object] = super().get_environ()
        self.wsgi_input = Body(self, self.headers, _READING_SECONDS)
        environ["wsgi.input_terminated"] = True
        return environ

    def handle_one_response(self) -> None:
        """Read the body, then respond. Close the connection after a broken body or a WebSocket."""
        body = self._body()
        if body is None:
            self.close_connection = True
            self._refuse(400)
            return
        self.server.incomplete.remove(self)
        self.environ["wsgi.input"] = Collected(body, self.socket)
        self._respond(claimed_client(self.environ, body), len(body))
        if "HTTP_UPGRADE" in self.environ or self.wsgi_input.broken:
            self.close_connection = True

    def _respond(self, claimed: ClaimedClient | None, size: int) -> None:
        arrived = time.monotonic()
        try:
            with QUEUES.slot(claimed, size):
                self.environ[WAITED] = time.monotonic() - arrived
                if claimed is not None and (seconds := QUEUES.delay(claimed)):
                    gevent.sleep(seconds)
                super().handle_one_response()
        except QueueFull:
            self.environ[OVERLOADED] = True
            super().handle_one_response()
        status = self.status  # a string from gevent, not bytes, if the client is gone
        if claimed is not None and isinstance(status, bytes) and status.startswith(b"2"):
            QUEUES.mark_authenticated(claimed)
        if claimed is not None and isinstance(status, bytes) and status.startswith(b"401"):
            QUEUES.mark_refused(claimed)

    def _body(self) -> bytes | None:
        try:
            return self.wsgi_input.read_all(MAX_BODY_BYTES)
        except OSError as fault:
            telemetry.log().debug("request.unreadable", reason=str(fault))
            return None

    def handle(self) -> None:
        """Serve a connection until it is closed."""
        self.server.make_room()
        try:
            super().handle()
        finally:
            self.server.incomplete.remove(self)

    def _handle_client_error(self, ex: Exception) -> None:
        """Respond to malformed HTTP, log it, and close the connection."""
        telemetry.log().debug("request.unreadable", error=type(ex).__name__, reason=str(ex))
        ex.__traceback__ = None  # its frames keep the received data in memory
        self._refuse(ex.status if isinstance(ex, BadHead) else 400)

    def _refuse(self, status: int) -> None:
        self.server.incomplete.remove(self)
        with contextlib.suppress(OSError), gevent.Timeout(_LINGER_SECONDS, False):  # noqa: FBT003  # False: no exception
            self.socket.sendall(
                f"HTTP/1.1 {status} {_REASONS[status]}\r\n"
                "Connection: close\r\nContent-Length: 0\r\n\r\n".encode()
            )
            self.socket.shutdown(socket.SHUT_WR)
            while self.socket.recv(16_384):  # otherwise the client sees a reset, not the response
                pass

    def drop(self) -> None:
        """Close the connection; a waiting read sees the end of the stream."""
        try:
            self.socket.shutdown(0)
        except OSError:
            self.socket.close()


_SERVERS: list[_Server] = []
QUEUES = ClientQueues()
"""The queues of this process."""
_T = TypeVar("_T")


def on_a_real_thread(work: Callable[[], _T]) -> _T:
    """Run a CPU-bound function on a real thread, without blocking other requests."""
    result: _T = gevent.get_hub().threadpool.apply(work)
    return result


def use_own_resolver() -> None:
    """Resolve names in a separate thread pool, with a thread for each concurrent call.

    The name server of an agent's endpoint may be slow. It must not block other lookups or password
    hashing, which uses the hub's few threads.
    """
    from server.delivery.outbox import MAX_CONCURRENT  # noqa: PLC0415  # only after gevent has patched

    hub = gevent.get_hub()
    resolver = Resolver(hub)
    resolver.pool = ThreadPool(MAX_CONCURRENT + _SPARE_LOOKUPS, hub)
    hub.resolver = resolver


class SaysoWorker(GeventPyWSGIWorker):  # type: ignore[misc]  # gunicorn has no types
    """A server process."""

    server_class = _Server
    wsgi_handler = _Handler
    site: "Site | None" = None

    def handle_exit(self, sig: int, frame: object) -> None:
        """Handle SIGTERM: shut down outside the signal handler."""
        gevent.spawn(self._shut_down)
        super().handle_exit(sig, frame)

    def _shut_down(self) -> None:
        if self.site is not None:
            self.site.readiness.ending = True
            self.site.notifications.hub.end()
        for server in _SERVERS:
            server.end()
