"""The gevent worker: how requests are read and refused, how long it waits, and how it ends.

A request has fifteen seconds for its first line after the connection was opened, for its headers,
and for its body; a connection that was used once may then be silent for 75. Sockets that were
upgraded and polls that are held have sent all of it, so none of this ends them. A head that is
malformed or too large is refused, and nothing that follows it on that connection is served.

Ending: readiness turns red, held polls are answered, sockets are closed with 1012, running requests
finish, idle connections are dropped.
"""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import gevent
from gevent.resolver.thread import Resolver
from gevent.threadpool import ThreadPool
from gunicorn.workers.ggevent import GeventPyWSGIWorker, PyWSGIHandler, PyWSGIServer

from server import telemetry
from server.http.message import MOST_BODY_BYTES, OVERLOADED, WAITED
from server.serving import heads
from server.serving.bodies import Body, Collected, TooSlow
from server.serving.heads import BadHead, Head
from server.serving.memory import Incomplete
from server.serving.turns import Claim, QueueFull, Turns, claim

if TYPE_CHECKING:
    from server.http.site import Site

_READING_SECONDS = 15.0
_IDLE_SECONDS = 75.0
_OTHER_LOOK_UPS = 16
"""Names of ours that are looked up meanwhile, and those of agents that are being registered."""
_LINGER_SECONDS = 2.0
_PAUSE_SECONDS = 0.01
_REASONS = {400: "Bad Request", 431: "Request Header Fields Too Large"}


class _Server(PyWSGIServer):  # type: ignore[misc]  # gunicorn has no types
    """Knows which connections wait for a request."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.idle: dict[_Handler, None] = {}
        """Connections that wait for a request, the longest first."""
        self.incomplete = Incomplete()
        _SERVERS.append(self)
        self.ending = False

    def make_room(self) -> None:
        """Close the connection that was idle the longest if there is no room for another."""
        if self.full() and self.idle:
            longest = next(iter(self.idle))
            del self.idle[longest]
            longest.drop()

    def end(self) -> None:
        """Drop the connections on which nothing is going on; the others end by themselves."""
        self.ending = True
        for handler in tuple(self.idle):
            handler.drop()


class _Handler(PyWSGIHandler):  # type: ignore[misc]  # gunicorn has no types
    served = False
    wsgi_input: Body
    headers: Head
    status: bytes | None

    def read_requestline(self) -> bytes:
        """The next request of this connection; none any more when it took too long or we end."""
        if self.served and self.server.ending:
            return b""
        patience = _IDLE_SECONDS if self.served else _READING_SECONDS
        self.served = True
        self.server.idle[self] = None
        line: bytes = b""
        try:
            with gevent.Timeout(patience, False):  # noqa: FBT003  # gevent's way to say: no error
                line = super().read_requestline()
        finally:
            self.server.idle.pop(self, None)
        return line

    def read_request(self, raw_requestline: str) -> bool:
        """Read the head. Raises ValueError when it is refused, OSError when the time is over."""
        with gevent.Timeout(_READING_SECONDS, TooSlow):
            self.received(len(raw_requestline))
            lines = heads.read_lines(self._read_line, len(raw_requestline))
        self.headers = head = heads.parse(raw_requestline, lines)
        self.command, self.path, self.request_version = head.method, head.path, head.version
        self.content_length, self.close_connection = head.content_length, head.closes
        return True

    def _read_line(self, most: int) -> bytes:
        piece: bytes = self.rfile.readline(most)
        self.received(len(piece))
        return piece

    def received(self, count: int) -> None:
        """Count the memory of an incomplete request, and wait while it is too much."""
        incomplete = self.server.incomplete
        incomplete.add(self, count)
        while incomplete.full:
            gevent.sleep(_PAUSE_SECONDS)
            incomplete.add(self, 0)

    def _headers(self) -> Iterator[tuple[str, str]]:
        return self.headers.variables()

    def get_environ(self) -> dict[str, object]:
        """The WSGI environment without the body, which has not arrived yet."""
        environ: dict[str, object] = super().get_environ()
        self.wsgi_input = Body(self, self.headers, _READING_SECONDS)
        environ["wsgi.input_terminated"] = True
        return environ

    def handle_one_response(self) -> None:
        """Answer after the whole request has arrived; a broken body or a WebSocket is the last."""
        body = self._body()
        if body is None:
            self.close_connection = True
            self._refuse(400)
            return
        self.server.incomplete.remove(self)
        self.environ["wsgi.input"] = Collected(body, self.socket)
        self._in_turn(claim(self.environ, body), len(body))
        if "HTTP_UPGRADE" in self.environ or self.wsgi_input.broken:
            self.close_connection = True

    def _in_turn(self, claimed: Claim | None, size: int) -> None:
        arrived = time.monotonic()
        try:
            with TURNS.turn(claimed, size):
                self.environ[WAITED] = time.monotonic() - arrived
                super().handle_one_response()
        except QueueFull:
            self.environ[OVERLOADED] = True
            super().handle_one_response()
        if claimed is not None and self.status is not None and self.status.startswith(b"2"):
            TURNS.proved(claimed)

    def _body(self) -> bytes | None:
        try:
            return self.wsgi_input.collected(MOST_BODY_BYTES)
        except OSError as fault:
            telemetry.log().debug("request.unreadable", reason=str(fault))
            return None

    def handle(self) -> None:
        """Serve this connection until its end."""
        self.server.make_room()
        try:
            super().handle()
        finally:
            self.server.incomplete.remove(self)

    def _handle_client_error(self, ex: Exception) -> None:
        """Refuse malformed HTTP: answer, log one line, close the connection."""
        telemetry.log().debug("request.unreadable", error=type(ex).__name__, reason=str(ex))
        ex.__traceback__ = None  # its frames hold what was received
        self._refuse(ex.status if isinstance(ex, BadHead) else 400)

    def _refuse(self, status: int) -> None:
        self.server.incomplete.remove(self)
        with contextlib.suppress(OSError), gevent.Timeout(_LINGER_SECONDS, False):  # noqa: FBT003  # gevent's way to say: no error
            self.socket.sendall(
                f"HTTP/1.1 {status} {_REASONS[status]}\r\n"
                "Connection: close\r\nContent-Length: 0\r\n\r\n".encode()
            )
            self.socket.shutdown(socket.SHUT_WR)
            while self.socket.recv(16_384):  # or the client would see a reset, not the answer
                pass

    def drop(self) -> None:
        """Let the waiting read find the end."""
        try:
            self.socket.shutdown(0)
        except OSError:
            self.socket.close()


_SERVERS: list[_Server] = []
TURNS = Turns()
"""Of this process."""
_T = TypeVar("_T")


def on_a_real_thread(work: Callable[[], _T]) -> _T:
    """Run what takes the processor for long while others are served."""
    result: _T = gevent.get_hub().threadpool.apply(work)
    return result


def look_up_apart() -> None:
    """Look names up on threads of their own, one for each call that may be under way.

    An agent names its endpoint, and its name server may say nothing for half a minute: that holds
    up neither a password, which is checked on the hub's few threads, nor anybody else's name.
    """
    from server.delivery.outbox import MOST_AT_ONCE  # noqa: PLC0415  # only after gevent has patched

    hub = gevent.get_hub()
    resolver = Resolver(hub)
    resolver.pool = ThreadPool(MOST_AT_ONCE + _OTHER_LOOK_UPS, hub)
    hub.resolver = resolver


class SaysoWorker(GeventPyWSGIWorker):  # type: ignore[misc]  # gunicorn has no types
    """One process of the server."""

    server_class = _Server
    wsgi_handler = _Handler
    site: "Site | None" = None

    def handle_exit(self, sig: int, frame: object) -> None:
        """SIGTERM: begin to end, outside the signal handler."""
        gevent.spawn(self._begin_to_end)
        super().handle_exit(sig, frame)

    def _begin_to_end(self) -> None:
        if self.site is not None:
            self.site.readiness.ending = True
            self.site.notifications.hub.end()
        for server in _SERVERS:
            server.end()
