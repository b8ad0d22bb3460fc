"""A new version of the pages in the place of the one that is served: one script is another.

Owns: the copy with its change, and the server that serves it. Never: what a browser makes of it.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from server.web import installable
from tests.support.servers.server import LiveServer

MARKED = "document.body.dataset.mark === 'new'"
"""What is true on a page that runs with the new scripts, and on no other."""


@contextlib.contextmanager
def newer_pages(server: LiveServer, folder: Path) -> Iterator[Callable[[], None]]:
    """Puts the new version there when it is called; afterwards it is the old one again."""
    pages = folder / "pages"
    shutil.copytree(installable.TEMPLATES, pages)
    with (pages / "session.js").open("a") as script:
        script.write("document.body.dataset.mark = 'new';\n")

    def serve(*options: str) -> None:
        server.stop()
        server.options = options
        server.start()

    yield partial(serve, f"--pages={pages}")
    serve()
