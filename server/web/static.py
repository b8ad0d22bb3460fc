"""What is about nobody: style sheets and scripts, and the answer where there is no page.

Owns: the files that browsers load, each under its own name. Never: anything of a person.
"""

import functools
from typing import Final

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from server.http.views import no_route
from server.web import files
from server.web.browser import message
from server.web.installable import TEMPLATES, WORKER

_TYPES: Final = {".css": "text/css", ".js": "text/javascript"}


def add_static(app: Flask) -> None:
    """Give the files to Flask: a script is at its own name, whatever folder it is in."""
    for path in sorted(TEMPLATES.rglob("*.*")):
        if path.suffix in _TYPES and path.name != WORKER:
            template = path.relative_to(TEMPLATES).as_posix()
            view = functools.partial(_file, template, _TYPES[path.suffix])
            url = f"/{path.name}"
            app.add_url_rule(url, endpoint=path.name, view_func=view, methods=["GET"])

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
        "Page not found",
        "Waiting requests are at / and in sayso-approver.",
    ),
    413: ("Too large", "Nothing was changed. Go back and send less than 128 KiB."),
}
_OTHER_WORDS: Final = (
    "Can't open this page directly",
    "It belongs to a form. Go back and start again.",
)


def _file(name: str, media_type: str) -> Response:
    return files.sent(_drawn(name, media_type))


@functools.cache
def _drawn(name: str, media_type: str) -> files.Kept:
    return files.kept(render_template(name).encode(), media_type)
