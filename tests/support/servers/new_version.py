"""A new version of the pages, with one changed script, served in place of the current version.

Owns: the changed copy, and the server that serves it. Never: what a browser does with it.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from server.web import installable
from tests.support.servers.server import LiveServer

MARKED = "document.body.dataset.mark === 'new'"
"""An expression that is true only on a page that runs the new scripts."""


@contextlib.contextmanager
def newer_pages(server: LiveServer, folder: Path) -> Iterator[Callable[[], None]]:
    """Yield a function that serves the new version; after the block the old one is served again."""
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
