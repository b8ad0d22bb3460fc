"""Style sheets and scripts, and the error pages for unknown paths.

Owns: the files that browsers load, each under its own name. Never: anything about a person.
"""

import functools
import re
from typing import Final

from flask import Flask, render_template, request
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from server.http.views import no_route
from server.web import files
from server.web.browser import message
from server.web.installable import TEMPLATES, WORKER

_MEDIA_TYPES: Final = {".css": "text/css", ".js": "text/javascript"}
_IMPORT: Final = re.compile(r'^import (?:.+ from )?"/(.+)";$', re.MULTILINE)


def add_static(app: Flask) -> None:
    """Register the files with Flask, each under its name without its folder."""
    app.jinja_env.globals["script"] = _script
    for path in sorted(TEMPLATES.rglob("*.*")):
        if path.suffix in _MEDIA_TYPES and path.name != WORKER:
            template = path.relative_to(TEMPLATES).as_posix()
            load = functools.partial(_render, template)
            files.add_file(app, path.name, _MEDIA_TYPES[path.suffix], load)

    app.register_error_handler(HTTPException, _error_response)


@functools.cache
def _script(name: str) -> Markup:
    """The element for a script, after elements that preload everything that it imports."""
    imported: dict[str, None] = {}
    _add_imports(name, imported)
    preloads = (Markup('<link rel="modulepreload" href="/{}">').format(name) for name in imported)
    return Markup().join([*preloads, Markup('<script type="module" src="/{}">').format(name)]) + (
        Markup("</script>")
    )


def _add_imports(name: str, collected: dict[str, None]) -> None:
    """Add each file that a script imports, directly or indirectly, once."""
    (path,) = TEMPLATES.rglob(name)
    for imported in _IMPORT.findall(path.read_text("utf-8")):
        if imported not in collected:
            collected[imported] = None
            _add_imports(imported, collected)


def _error_response(error: HTTPException) -> AnyResponse:
    """The response to an HTTP error: a page for browsers, JSON for the API."""
    response = no_route(error)
    media_types = request.accept_mimetypes
    wants_html = media_types.best_match(["application/json", "text/html"]) == "text/html"
    if not wants_html or request.path.startswith("/api/"):
        return response
    title, text = _ERROR_TEXTS.get(response.status_code, _OTHER_ERROR_TEXT)
    error_page = message(title, text, status=response.status_code)
    error_page.allow.update(response.allow)
    return error_page


_ERROR_TEXTS: Final = {
    404: (
        "Page not found",
        "Your pending requests are at / and in sayso-approver.",
    ),
    413: ("Too large", "Nothing was changed. Go back and send less than 128 KiB."),
}
_OTHER_ERROR_TEXT: Final = (
    "Can't open this page directly",
    "Only a form can send requests to it. Go back and start again.",
)


def _render(name: str) -> bytes:
    return render_template(name).encode()
