"""The pages that are about nobody: how to begin on a terminal, the sheet, the one script.

The first never sees the code, which is in the fragment of its link and so never leaves the browser.
"""

from flask import Flask, Response, render_template
from werkzeug.wrappers import Response as AnyResponse

from server.http.site import Site
from server.web.browser import HEADERS, page, policy, under_another_name


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


def _file(name: str, media_type: str) -> Response:
    response = Response(render_template(name), mimetype=media_type)
    response.headers.extend({**HEADERS, "Content-Security-Policy": policy()})
    response.headers["Cache-Control"] = "max-age=3600"
    return response
