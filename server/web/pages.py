"""The pages: so far one, how to begin on a terminal.

It never sees the code, which is in the fragment of its link and so never leaves the browser.
"""

from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from server.http.site import Site

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'none'; frame-ancestors 'none'; "
        "base-uri 'none'; require-trusted-types-for 'script'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


def add_pages(app: Flask, site: Site) -> None:
    """Give the pages to Flask."""

    @app.get("/enrol")
    def enrol() -> AnyResponse:
        return _page(site, "enrol.html", issuer=site.rules.issuer)

    @app.get("/style.css")
    def style() -> AnyResponse:
        sheet = Response(render_template("style.css"), mimetype="text/css")
        sheet.headers.extend({**HEADERS, "Cache-Control": "max-age=3600"})
        return sheet


def _page(site: Site, template: str, **facts: str) -> AnyResponse:
    """A page, under the issuer's own name: links and origins then are what clients were told."""
    if site.rules.on_loopback and request.host != urlsplit(site.rules.issuer).netloc:
        return redirect(site.rules.issuer + request.path)
    response = Response(render_template(template, **facts), mimetype="text/html")
    response.headers.extend(HEADERS)
    return response
