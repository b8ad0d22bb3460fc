"""The pages that are about nobody: how to begin on a terminal, the sheet, the one script.

The first never sees the code, which is in the fragment of its link and so never leaves the browser.
"""

from typing import Final

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from server.http.site import Site
from server.http.views import no_route
from server.web.browser import HEADERS, message, page, policy, under_another_name

_NOT_FOUND: Final = 404


def add_pages(app: Flask, site: Site) -> None:
    """Give the pages to Flask."""

    @app.get("/enrol")
    def enrol() -> AnyResponse:
        return under_another_name(site) or page("enrol.html", issuer=site.rules.issuer)

    @app.get("/style.css")
    def style() -> AnyResponse:
        return _file("style.css", "text/css")

    @app.get("/send.js")
    def send() -> AnyResponse:
        return _file("send.js", "text/javascript")

    app.register_error_handler(HTTPException, _refused)


def _refused(error: HTTPException) -> AnyResponse:
    """No such path, or another method, in the words of whoever asks: a person reads pages."""
    told = no_route(error)
    kinds = request.accept_mimetypes
    reads_pages = kinds.best_match(["application/json", "text/html"]) == "text/html"
    if not reads_pages or request.path.startswith("/api/"):
        return told
    title, text = _WORDS if error.code == _NOT_FOUND else _OTHER_WORDS
    shown = message(title, text, status=told.status_code)
    shown.allow.update(told.allow)
    return shown


_WORDS: Final = (
    "There is no page here",
    "Apps send you here to sign in. What waits for your answer is in a terminal: sayso-approver.",
)
_OTHER_WORDS: Final = (
    "This page cannot be opened like this",
    "It belongs to a form. Go back to where you came from and begin again.",
)


def _file(name: str, media_type: str) -> Response:
    response = Response(render_template(name), mimetype=media_type)
    response.headers.extend({**HEADERS, "Content-Security-Policy": policy()})
    response.headers["Cache-Control"] = "max-age=3600"
    return response
