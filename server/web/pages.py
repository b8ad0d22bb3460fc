"""How pages are made and protected, and the plainest of them: how to begin on a terminal.

That one never sees the code, which is in the fragment of its link and never leaves the browser.
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


FORM_HEADERS: Final = {
    **HEADERS,
    "Content-Security-Policy": HEADERS["Content-Security-Policy"].replace(
        "form-action 'none'", "form-action 'self'"
    ),
}
"""For a page with a form, which goes to ourselves."""


def add_pages(app: Flask, site: Site) -> None:
    """Give the pages to Flask."""

    @app.get("/enrol")
    def enrol() -> AnyResponse:
        return page(site, "enrol.html", issuer=site.rules.issuer)

    @app.get("/style.css")
    def style() -> AnyResponse:
        sheet = Response(render_template("style.css"), mimetype="text/css")
        sheet.headers.extend({**HEADERS, "Cache-Control": "max-age=3600"})
        return sheet


def page(site: Site, template: str, *, forms: bool = False, **facts: str) -> AnyResponse:
    """A page; `forms` lets it send one to ourselves, and to nobody else."""
    if (there := elsewhere(site)) is not None:
        return there
    response = Response(render_template(template, **facts), mimetype="text/html")
    response.headers.extend(FORM_HEADERS if forms else HEADERS)
    return response


def elsewhere(site: Site) -> AnyResponse | None:
    """Where a browser that came by another name is sent; None when it came by the issuer's.

    Links and origins then are what clients were told.
    """
    if not site.rules.on_loopback or request.host == urlsplit(site.rules.issuer).netloc:
        return None
    query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
    return redirect(site.rules.issuer + request.path + query)


def origin_of(site: Site) -> str:
    """The origin of our own pages."""
    parts = urlsplit(site.rules.issuer)
    return f"{parts.scheme}://{parts.netloc}"
