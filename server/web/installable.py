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
_RENDERED_FILES: Final = {WORKER: "text/javascript", _MANIFEST: "application/manifest+json"}


def add_installable(app: Flask) -> None:
    """Register these files with Flask."""

    @app.get("/offline")
    def offline() -> Response:
        """The page that the service worker caches and shows if the server does not answer."""
        return page("offline.html", script=True, theme=themes.SYSTEM)

    for name, media_type in _ICONS.items():
        view = partial(_icon, name, media_type)
        app.add_url_rule(f"/{name}", endpoint=name, view_func=view, methods=["GET"])
    icon = partial(_icon, "icon-192.png", _ICONS["icon-192.png"])
    app.add_url_rule("/favicon.ico", endpoint="favicon.ico", view_func=icon, methods=["GET"])
    for name, media_type in _RENDERED_FILES.items():
        view = partial(_rendered_file, name, media_type)
        app.add_url_rule(f"/{name}", endpoint=name, view_func=view, methods=["GET"])


@cache
def version() -> str:
    """A hash of all templates and icons."""
    digest = hashlib.sha256()
    for path in sorted((*TEMPLATES.rglob("*.*"), *ICONS.iterdir())):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _rendered_file(name: str, media_type: str) -> Response:
    """A rendered file. The service worker's own policy allows it to call the API."""
    return files.response(_render(name, media_type), script=name == WORKER)


@cache
def _render(name: str, media_type: str) -> files.StaticFile:
    return files.static_file(render_template(name, version=version()).encode(), media_type)


def _icon(name: str, media_type: str) -> Response:
    return files.response(_read(name, media_type))


@cache
def _read(name: str, media_type: str) -> files.StaticFile:
    return files.static_file((ICONS / name).read_bytes(), media_type)
