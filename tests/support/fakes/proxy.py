"""A TCP proxy between a client and a server, which a test can slow down, freeze or cut.

Owns: forwarding bytes. Never: the meaning of the bytes.
"""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_CHUNK_SIZE = 4_096
_SMALL_BUFFER = 4_096
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time; close() then resets


@dataclass(slots=True)
class Proxy:
    """The proxy to one port.

    It waits `delay` seconds before it forwards each piece. It calls `lets_back` before each piece
    of a response; if that returns False, the piece is lost and every connection is cut. It passes
    each piece of a request to `on_way_there` before it forwards it.
    """

    target: int
    delay: float = 0.0
    lets_back: Callable[[], bool] = lambda: True
    on_way_there: Callable[[bytes], object] = lambda _piece: None
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _open: threading.Event = field(default_factory=threading.Event)
    _ends: list[socket.socket] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Return the port at which clients connect."""
        port: int = self.listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """Return the URL at which clients connect."""
        return f"http://localhost:{self.port}"

    def freeze(self) -> None:
        """Stop forwarding; to both sides the connections still look open."""
        self._open.clear()

    def thaw(self) -> None:
        """Forward again, starting with the bytes that are waiting."""
        self._open.set()

    def cut(self) -> None:
        """Reset every connection, but keep accepting new ones."""
        ends, self._ends = self._ends, []
        for end in ends:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def run(self) -> None:
        """Accept connections until the listener is closed."""
        self._open.set()
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self._join(client)

    def close(self) -> None:
        """Close the listener and every connection."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()
        self.thaw()

    def _join(self, client: socket.socket) -> None:
        """Connect to the server, with a small buffer, so that a frozen connection fills up soon."""
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
        self._ends += [client, server]
        try:
            server.connect(("127.0.0.1", self.target))
        except ConnectionRefusedError:
            client.close()
            server.close()
            return
        for here, there in ((client, server), (server, client)):
            way = {"here": here, "there": there, "is_back": here is server}
            threading.Thread(target=self._forward, kwargs=way, daemon=True).start()

    def _forward(self, *, here: socket.socket, there: socket.socket, is_back: bool) -> None:
        with contextlib.suppress(OSError):
            while self._open.wait() and (piece := here.recv(_CHUNK_SIZE)):
                self._open.wait()
                if self.delay:
                    time.sleep(self.delay)
                if is_back and not self.lets_back():
                    self.cut()
                    return
                if not is_back:
                    self.on_way_there(piece)
                there.sendall(piece)
            there.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def proxy(target: int) -> Iterator[Proxy]:
    """Run a proxy to this port of this machine while the block runs."""
    running_proxy = Proxy(target)
    thread = threading.Thread(target=running_proxy.run, daemon=True)
    thread.start()
    try:
        yield running_proxy
    finally:
        running_proxy.close()
        thread.join(5)
