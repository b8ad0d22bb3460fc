"""The gevent worker, how long it waits for what clients send, and how it ends.

A request has fifteen seconds for its first line after the connection was opened, for its headers,
and for its body; a connection that was used once may then be silent for 75. Sockets that were
upgraded and polls that are held have sent all of it, so none of this ends them.

Ending: readiness turns red, held polls are answered, sockets are closed with 1012, running requests
finish, idle connections are dropped.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import gevent
from gevent.pywsgi import Input
from gevent.resolver.thread import Resolver
from gevent.threadpool import ThreadPool
from gunicorn.workers.ggevent import GeventPyWSGIWorker, PyWSGIHandler, PyWSGIServer

from server import telemetry

if TYPE_CHECKING:
    from server.http.site import Site

_READING_SECONDS = 15.0
_IDLE_SECONDS = 75.0
_OTHER_LOOK_UPS = 16
"""Names of ours that are looked up meanwhile, and those of agents that are being registered."""
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class _TooSlow(OSError):
    """The client did not send in time; what was read is lost, and the connection with it."""

    def __init__(self) -> None:
        super().__init__("the client is too slow")


class _Body(Input):  # type: ignore[misc]  # gevent has no types
    """A request's body, all of which must come in time, whether somebody wants it or not."""

    __slots__ = ("left",)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.left = _READING_SECONDS

    def read(self, length: int | None = None) -> bytes:
        """So many bytes. Raises OSError when the time is over."""
        return self._in_time(super().read, length)

    def readline(self, size: int | None = None) -> bytes:
        """One line. Raises OSError when the time is over."""
        return self._in_time(super().readline, size)

    def _in_time(self, read: Callable[[int | None], bytes], size: int | None) -> bytes:
        if self.left <= 0:
            raise _TooSlow
        began = time.monotonic()
        try:
            with gevent.Timeout(self.left, _TooSlow):
                return read(size)
        except _TooSlow:
            self.left = 0.0
            raise
        finally:
            self.left -= time.monotonic() - began


class _Server(PyWSGIServer):  # type: ignore[misc]  # gunicorn has no types
    """Knows which connections wait for a request."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.idle: set[_Handler] = set()
        _SERVERS.append(self)
        self.ending = False

    def end(self) -> None:
        """Drop the connections on which nothing is going on; the others end by themselves."""
        self.ending = True
        for handler in tuple(self.idle):
            handler.drop()


class _Handler(PyWSGIHandler):  # type: ignore[misc]  # gunicorn has no types
    served = False
    wsgi_input: Any

    def read_requestline(self) -> bytes:
        """The next request of this connection; none any more when it took too long or we end."""
        if self.served and self.server.ending:
            return b""
        patience = _IDLE_SECONDS if self.served else _READING_SECONDS
        self.served = True
        self.server.idle.add(self)
        line: bytes = b""
        try:
            with gevent.Timeout(patience, False):  # noqa: FBT003  # gevent's way to say: no error
                line = super().read_requestline()
        finally:
            self.server.idle.discard(self)
        return line

    def read_request(self, raw_requestline: str) -> bool:
        """Read the headers. Raises OSError when the time is over."""
        with gevent.Timeout(_READING_SECONDS, _TooSlow):
            read: bool = super().read_request(raw_requestline)
        return read

    def get_environ(self) -> dict[str, object]:
        """What the application gets, with a body that does not wait for ever."""
        environ: dict[str, object] = super().get_environ()
        plain = self.wsgi_input
        self.wsgi_input = _Body(self.rfile, plain.content_length, plain.socket, plain.chunked_input)
        environ["wsgi.input"] = self.wsgi_input
        return environ

    def handle_one_response(self) -> None:
        """Answer. What was a WebSocket carries no further request, and its end must be seen."""
        super().handle_one_response()
        if "HTTP_UPGRADE" in self.environ or self.wsgi_input.left <= 0:
            self.close_connection = True

    def _handle_client_error(self, ex: Exception) -> tuple[str, bytes]:
        """What is no HTTP is the client's affair: one line of ours, never a traceback."""
        telemetry.log().debug("request.unreadable", error=type(ex).__name__)
        return "400", _BAD_REQUEST

    def drop(self) -> None:
        """Let the waiting read find the end."""
        try:
            self.socket.shutdown(0)
        except OSError:
            self.socket.close()


_SERVERS: list[_Server] = []
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
            self.site.hub.end()
        for server in _SERVERS:
            server.end()
