"""Static files: style sheets, scripts, icons, the manifest.

Owns: their caching and compression. Browsers revalidate them on every use, so that no page runs
with the scripts of another version. Never: anything about a person. Only these files are
compressed: the size of a compressed page could reveal its secrets (BREACH).
"""

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

from flask import Flask, Response, request

from server.web.browser import HEADERS, policy

_REVALIDATE: Final = "no-cache"
_TAG_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class _PreparedFile:
    """A file's contents, and their ETag (RFC 9110 8.8.3)."""

    body: bytes
    tag: str
    compressed: bytes


def add_file(
    app: Flask, name: str, media_type: str, load: Callable[[], bytes], *, script: bool = False
) -> None:
    """Serve a file under its name. It is loaded, hashed and compressed on the first request."""

    @cache
    def prepared() -> _PreparedFile:
        body = load()
        tag = hashlib.sha256(body).hexdigest()[:_TAG_LENGTH]
        return _PreparedFile(body, tag, gzip.compress(body, mtime=0))

    def view() -> Response:
        return _response(prepared(), media_type, script=script)

    app.add_url_rule(f"/{name}", endpoint=name, view_func=view, methods=["GET"])


def _response(file: _PreparedFile, media_type: str, *, script: bool) -> Response:
    """The response with the file, or 304 if the browser has it."""
    shrinks = len(file.compressed) < len(file.body)
    zipped = shrinks and request.accept_encodings["gzip"] > 0
    answer = Response(file.compressed if zipped else file.body, mimetype=media_type)
    answer.set_etag(f"{file.tag}-gzip" if zipped else file.tag)
    if shrinks:
        answer.vary.add("Accept-Encoding")
    if zipped:
        answer.content_encoding = "gzip"
    answer.headers.extend({**HEADERS, "Content-Security-Policy": policy(script=script)})
    answer.headers["Cache-Control"] = _REVALIDATE
    answer.make_conditional(request)
    return answer
