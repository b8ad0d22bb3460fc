"""The live feed, frame by frame from the socket, without a client in between."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from approver_tui.client.notifications.feed import PATH
from tests.support.clients.terminal import Terminal

_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class FeedLine:
    """An open feed socket of a terminal."""

    socket: ClientConnection
    terminal: Terminal

    def frame(self, seconds: float = _TIMEOUT) -> dict[str, Any]:
        """Return the next frame."""
        frame: dict[str, Any] = json.loads(self.socket.recv(timeout=seconds))
        return frame

    def event(self, name: str, seconds: float = _TIMEOUT) -> dict[str, Any]:
        """Return the next frame, which must be this event.

        PostgreSQL numbers events a moment after they happened, so on a socket that was opened
        immediately the terminal's own enrollment may come first.
        """
        frame = self.frame(seconds)
        while frame.get("event") == "device.enrolled" != name:
            frame = self.frame(seconds)
        assert (frame["type"], frame.get("event")) == ("event", name), frame
        return frame

    def nothing(self, seconds: float = 0.3) -> bool:
        """Report whether no frame comes for this time."""
        try:
            self.socket.recv(timeout=seconds)
        except TimeoutError:
            return True
        return False

    def closed(self, seconds: float = _TIMEOUT) -> int | None:
        """Return the code with which the server closes; drop the frames before it."""
        try:
            while True:
                self.socket.recv(timeout=seconds)
        except ConnectionClosed as error:
            return None if error.rcvd is None else error.rcvd.code

    def renew(self, **changes: object) -> None:
        """Renew the socket with a new token and a proof for it."""
        session = self.terminal.client.session
        token = session.tokens.replace_refused(session.tokens.access_token())
        frame = {
            "type": "renew",
            "access_token": token,
            "proof": session.transport.proof("GET", PATH, token),
            **changes,
        }
        self.socket.send(json.dumps(frame))


@contextlib.contextmanager
def feed_line(
    terminal: Terminal, *, cursor: int | str | None = None, port: int | None = None
) -> Iterator[FeedLine]:
    """Open the feed of a terminal, on the server's port or on the port of a proxy."""
    session = terminal.client.session
    token = session.tokens.access_token()
    headers = {
        "Authorization": f"DPoP {token}",
        "DPoP": session.transport.proof("GET", PATH, token),
    }
    issuer = terminal.client.profile.issuer
    base = "ws" + issuer.removeprefix("http") if port is None else f"ws://127.0.0.1:{port}"
    query = "" if cursor is None else f"?cursor={cursor}"
    with connect(
        f"{base}{PATH}{query}",
        additional_headers=headers,
        proxy=None,
        compression=None,
        close_timeout=1,
        open_timeout=30,
        max_size=2**20,
    ) as socket:
        yield FeedLine(socket, terminal)


@contextlib.contextmanager
def open_feed(terminal: Terminal, **where: Any) -> Iterator[FeedLine]:
    """Open the feed and read its hello frame."""
    with feed_line(terminal, **where) as line:
        assert line.frame()["type"] == "hello"
        yield line
