"""The gevent worker, and how it ends.

Readiness turns red, held polls are answered, sockets are closed with 1012, running requests finish,
idle connections are dropped.
"""

from typing import TYPE_CHECKING

import gevent
from gunicorn.workers.ggevent import GeventPyWSGIWorker, PyWSGIHandler, PyWSGIServer

from server import telemetry

if TYPE_CHECKING:
    from server.http.site import Site

_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


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

    def read_requestline(self) -> bytes:
        """The next request of this connection; none any more once the process is ending."""
        if self.served and self.server.ending:
            return b""
        self.served = True
        self.server.idle.add(self)
        try:
            line: bytes = super().read_requestline()
        finally:
            self.server.idle.discard(self)
        return line

    def handle_one_response(self) -> None:
        """Answer. What was a WebSocket carries no further request, and its end must be seen."""
        super().handle_one_response()
        if "HTTP_UPGRADE" in self.environ:
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
