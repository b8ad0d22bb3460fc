"""The live feed frame by frame, as it comes from the socket, without a client in between."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from approver_tui.client.notifications.feed import PATH
from tests.support.clients.terminal import Terminal

_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One open socket of one terminal."""

    socket: ClientConnection
    terminal: Terminal

    def frame(self, seconds: float = _PATIENCE) -> dict[str, Any]:
        """The next frame."""
        read: dict[str, Any] = json.loads(self.socket.recv(timeout=seconds))
        return read

    def event(self, name: str, seconds: float = _PATIENCE) -> dict[str, Any]:
        """The next frame, which must be this event.

        PostgreSQL numbers events a moment after they happened, so the terminal's own enrollment may
        come first, on a socket that was opened at once.
        """
        frame = self.frame(seconds)
        while frame.get("event") == "device.enrolled" != name:
            frame = self.frame(seconds)
        assert (frame["type"], frame.get("event")) == ("event", name), frame
        return frame

    def nothing(self, seconds: float = 0.3) -> bool:
        """Reports whether no frame comes for a while."""
        try:
            self.socket.recv(timeout=seconds)
        except TimeoutError:
            return True
        return False

    def closed(self, seconds: float = _PATIENCE) -> int | None:
        """The code with which the server closes; frames before it are dropped."""
        try:
            while True:
                self.socket.recv(timeout=seconds)
        except ConnectionClosed as error:
            return None if error.rcvd is None else error.rcvd.code

    def renew(self, **changes: object) -> None:
        """Ask for more time with a new token and a proof of it."""
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
    """Open the feed of a terminal, at the server's port or at the one of a road to it."""
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
def greeted(terminal: Terminal, **where: Any) -> Iterator[FeedLine]:
    """Open the feed and take its greeting."""
    with feed_line(terminal, **where) as line:
        assert line.frame()["type"] == "hello"
        yield line
