"""A live feed that plays a script, on a real socket.

Owns: one script per connection, and what clients sent. Never: proofs or tokens; tests check those.
"""

import json
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Self

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from tests.support.builders.approval_texts import to_rfc3339, wire_approval

Step = str | int | Mapping[str, object]
"""A frame (a string or an object), or the code with which to close the connection."""


class FeedServer:
    """A socket that plays one script per connection; after a script the connection stays open."""

    def __init__(self, *scripts: list[Step]) -> None:
        self.scripts = list(scripts)
        self.requests: list[Request] = []
        self.received: list[dict[str, object]] = []
        self.refuse_next: list[HTTPStatus] = []
        self._server = serve(self._play, "127.0.0.1", 0, process_request=self._check)
        self.issuer = f"http://localhost:{self._server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()

    def _check(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.refuse_next:
            return connection.respond(self.refuse_next.pop(0), "no\n")
        self.requests.append(request)
        return None

    def _play(self, socket: ServerConnection) -> None:
        script = self.scripts.pop(0) if self.scripts else [hello()]
        try:
            for step in script:
                if isinstance(step, int):
                    socket.close(step)
                    return
                socket.send(step if isinstance(step, str) else json.dumps(step))
            while True:
                self.received.append(json.loads(socket.recv()))
        except ConnectionClosed:
            return


def hello(cursor: int = 0, *, lasts: int = 600_000) -> dict[str, object]:
    """Return the first frame of a connection."""
    return {
        "type": "hello",
        "cursor": cursor,
        "token_expires_at": to_rfc3339(_now() + lasts),
        "server_time": to_rfc3339(_now()),
    }


def event(seq: int, **changes: object) -> dict[str, object]:
    """Return the frame of a new request."""
    frame: dict[str, object] = {
        "type": "event",
        "seq": seq,
        "event": "approval.requested",
        "at": to_rfc3339(_now()),
    }
    return frame | {"approval": wire_approval(number=seq)} | changes


def _now() -> int:
    return time.time_ns() // 1_000_000
