"""A TCP road between a client and a server, which a test can slow down, stop or cut.

Owns: forwarding bytes. Never: what the bytes mean.
"""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_AT_ONCE = 4_096
_SMALL_BUFFER = 4_096
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time; close() then resets


@dataclass(slots=True)
class Proxy:
    """The road to one port.

    `delay` is in seconds, for each piece that is forwarded. `lets_back` is asked before each piece
    of an answer; where it says no, that piece is lost and every connection is cut. `on_way_there`
    gets each piece of a request before it is forwarded.
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
        """Where clients connect."""
        port: int = self.listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """Where clients connect, as a URL."""
        return f"http://localhost:{self.port}"

    def freeze(self) -> None:
        """Forward nothing more; both sides believe that the connection stands."""
        self._open.clear()

    def thaw(self) -> None:
        """Forward again, what has waited first."""
        self._open.set()

    def cut(self) -> None:
        """Reset every connection, and be there for new ones."""
        ends, self._ends = self._ends, []
        for end in ends:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def run(self) -> None:
        """Take connections until the listener is closed."""
        self._open.set()
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self._join(client)

    def close(self) -> None:
        """Be gone."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()
        self.thaw()

    def _join(self, client: socket.socket) -> None:
        """Connect the other side, with a small window, so that a frozen road fills soon."""
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
            while self._open.wait() and (piece := here.recv(_AT_ONCE)):
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
    """A road to this port of this machine, gone afterwards."""
    road = Proxy(target)
    thread = threading.Thread(target=road.run, daemon=True)
    thread.start()
    try:
        yield road
    finally:
        road.close()
        thread.join(5)
