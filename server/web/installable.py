"""The installable web app: manifest, icons, service worker, offline page.

Owns: their version, which tells browsers about an update. Never: anything about a person; browsers
cache the offline page.
"""

import hashlib
from functools import cache, partial
from pathlib import Path
from typing import Final

from flask import Flask, Response, render_template

from server.web import files, themes
from server.web.browser import page

TEMPLATES: Final = Path(__file__).parent / "templates"
ICONS: Final = Path(__file__).parent / "icons"
_ICONS: Final = {
    "icon.svg": "image/svg+xml",
    "icon-192.png": "image/png",
    "icon-512.png": "image/png",
    "icon-maskable-512.png": "image/png",
}
WORKER: Final = "service-worker.js"
_MANIFEST: Final = "manifest.webmanifest"


def add_installable(app: Flask) -> None:
    """Register these files with Flask."""

    @app.get("/offline")
    def offline() -> Response:
        """The page that the service worker caches and shows if the server does not answer."""
        return page("offline.html", script=True, theme=themes.SYSTEM)

    for name, media_type in _ICONS.items():
        files.add_file(app, name, media_type, (ICONS / name).read_bytes)
    files.add_file(app, "favicon.ico", "image/png", (ICONS / "icon-192.png").read_bytes)
    # The service worker's own policy allows it to call the API.
    files.add_file(app, WORKER, "text/javascript", partial(_render, WORKER), script=True)
    manifest = partial(_render, _MANIFEST)
    files.add_file(app, _MANIFEST, "application/manifest+json", manifest)


@cache
def version() -> str:
    """A hash of all templates and icons."""
    digest = hashlib.sha256()
    for path in sorted((*TEMPLATES.rglob("*.*"), *ICONS.iterdir())):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _render(name: str) -> bytes:
    return render_template(name, version=version()).encode()
