"""Pages of a different website, on another port of this machine.

Owns: serving them under both names of the loopback. To a browser, `localhost` on another port is a
different origin on the same site, so that it sends even `SameSite=Strict` cookies; `127.0.0.1` is a
different site.
"""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SAME_SITE, CROSS_SITE = "localhost", "127.0.0.1"


@dataclass(slots=True)
class OtherSite:
    """A web server whose pages a test writes."""

    port: int
    pages: dict[str, str] = field(default_factory=dict)
    """Path → markup."""

    def page(self, host: str, path: str, markup: str) -> str:
        """Serve a page at this path; return its URL with this host name."""
        self.pages[path] = f"<!doctype html><title>Elsewhere</title><body>{markup}"
        return f"http://{host}:{self.port}{path}"


@contextlib.contextmanager
def other_site() -> Iterator[OtherSite]:
    """Run a site without pages while the block runs."""
    site = OtherSite(0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = site.pages.get(self.path)
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((page or "").encode())

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        site.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield site
        server.shutdown()
        thread.join(5)
