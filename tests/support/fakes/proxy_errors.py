"""Error pages of a proxy whose server is down, served at that server's address.

Owns: the responses of nginx and Caddy to a browser while the server is stopped.
"""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.checks.waiting import until
from tests.support.servers.server import LiveServer

WORDS = "nginx has no better words"
_GATEWAY = 502


@contextlib.contextmanager
def stand_in(server: LiveServer, status: int, headers: Mapping[str, str] = {}) -> Iterator[None]:
    """Stop the server and answer in its place: this status for navigations, else 502."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_navigation = self.headers["Sec-Fetch-Mode"] == "navigate"
            body = f"<h1>{WORDS}</h1>".encode()
            self.send_response(status if is_navigation else _GATEWAY)
            for name, value in {**headers, "Content-Type": "text/html"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    def listen_on_port() -> ThreadingHTTPServer | None:
        with contextlib.suppress(OSError):
            return ThreadingHTTPServer(("127.0.0.1", server.port), Answer)
        return None

    server.stop()
    replacement = until(listen_on_port)
    assert replacement is not None
    thread = threading.Thread(target=replacement.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        replacement.shutdown()
        replacement.server_close()
        thread.join(5)
        server.start()
