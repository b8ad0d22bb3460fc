"""What makes the pages an app that can be installed: manifest, icons, service worker, offline page.

Owns: their versions, by which a browser sees that there is a new one. Never: anything of a person:
the offline page is the same for everybody, and browsers keep it.
"""

import hashlib
from functools import cache, partial
from pathlib import Path
from typing import Final

from flask import Flask, Response, render_template

from server.web import themes
from server.web.browser import HEADERS, page, policy

_HERE: Final = Path(__file__).parent
_ICONS: Final = {
    "icon.svg": "image/svg+xml",
    "icon-192.png": "image/png",
    "icon-512.png": "image/png",
    "icon-maskable-512.png": "image/png",
}
_WORKER: Final = "service-worker.js"
_MANIFEST: Final = "manifest.webmanifest"
_MADE: Final = {_WORKER: "text/javascript", _MANIFEST: "application/manifest+json"}
_HOUR: Final = "max-age=3600"
_ALWAYS_NEW: Final = "no-cache"
"""Browsers ask each time, so that they see a new one at once."""


def add_installable(app: Flask) -> None:
    """Give them to Flask."""

    @app.get("/offline")
    def offline() -> Response:
        """Kept by the service worker, and shown when the server does not answer."""
        return page("offline.html", script=True, theme=themes.SYSTEM)

    for name, media_type in _ICONS.items():
        view = partial(_icon, name, media_type)
        app.add_url_rule(f"/{name}", endpoint=name, view_func=view, methods=["GET"])
    for name, media_type in _MADE.items():
        view = partial(_made, name, media_type)
        app.add_url_rule(f"/{name}", endpoint=name, view_func=view, methods=["GET"])


@cache
def version() -> str:
    """Of all that browsers load: another one when any of it changed."""
    digest = hashlib.sha256()
    for path in sorted((_HERE / "templates").rglob("*.*")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _made(name: str, media_type: str) -> Response:
    """The service worker calls our API, so its own policy lets it."""
    text = render_template(name, version=version())
    return _sent(Response(text, mimetype=media_type), _ALWAYS_NEW, script=name == _WORKER)


def _icon(name: str, media_type: str) -> Response:
    raw = (_HERE / "icons" / name).read_bytes()
    return _sent(Response(raw, mimetype=media_type), _HOUR)


def _sent(response: Response, kept: str, *, script: bool = False) -> Response:
    response.headers.extend({**HEADERS, "Content-Security-Policy": policy(script=script)})
    response.headers["Cache-Control"] = kept
    return response
