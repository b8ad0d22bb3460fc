"""The pages that are about nobody: how to enrol a device, the sheets, the scripts.

The first has the code in the fragment of its link, so that no log of a proxy sees it.
"""

import functools
from typing import Final

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from server.http.site import Site
from server.http.views import no_route
from server.web import files
from server.web.browser import message, page, under_another_name


def add_pages(app: Flask, site: Site) -> None:
    """Give the pages to Flask."""

    @app.get("/enrol")
    def enrol() -> AnyResponse:
        shown = page("enrol.html", script=True, issuer=site.rules.issuer)
        return under_another_name(site) or shown

    for name, media_type in _FILES.items():
        view = functools.partial(_file, name, media_type)
        app.add_url_rule(f"/{name}", endpoint=name, view_func=view, methods=["GET"])

    app.register_error_handler(HTTPException, _refused)


def _refused(error: HTTPException) -> AnyResponse:
    """No such path, or another method, in the words of whoever asks: a person reads pages."""
    told = no_route(error)
    kinds = request.accept_mimetypes
    reads_pages = kinds.best_match(["application/json", "text/html"]) == "text/html"
    if not reads_pages or request.path.startswith("/api/"):
        return told
    title, text = _WORDS.get(told.status_code, _OTHER_WORDS)
    shown = message(title, text, status=told.status_code)
    shown.allow.update(told.allow)
    return shown


_WORDS: Final = {
    404: (
        "There is no page here",
        "Apps send you here to sign in. What waits for your answer is at / and in sayso-approver.",
    ),
    413: ("This is too long", "Nothing was changed. Go back, and send less than 128 KiB."),
}
_OTHER_WORDS: Final = (
    "This page cannot be opened like this",
    "It belongs to a form. Go back to where you came from and begin again.",
)


_FILES: Final = {
    "style.css": "text/css",
    "app.css": "text/css",
    "console.css": "text/css",
    **{
        f"{name}.js": "text/javascript"
        for name in (
            "deciding",
            "deeds",
            "devices",
            "done",
            "enrol",
            "happened",
            "icon",
            "inbox",
            "install",
            "known",
            "leave",
            "limit",
            "live",
            "notifications",
            "offered",
            "offline",
            "over",
            "passkey",
            "preview",
            "proving",
            "push",
            "receipt",
            "report",
            "request",
            "send",
            "settings",
            "sign",
            "sign-in",
            "sign-in-form",
            "similar",
            "standing",
            "still",
            "waiting",
        )
    },
}


def _file(name: str, media_type: str) -> Response:
    return files.sent(_drawn(name, media_type))


@functools.cache
def _drawn(name: str, media_type: str) -> files.Kept:
    return files.kept(render_template(name).encode(), media_type)
