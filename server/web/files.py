"""Static files: style sheets, scripts, icons, the manifest.

Owns: their caching and compression. Browsers revalidate them for every use, so that no page runs
with the scripts of another version. Never: anything about a person. Only these files are
compressed: the size of a compressed page could reveal its secrets (BREACH).
"""

import gzip
import hashlib
from dataclasses import dataclass
from typing import Final

from flask import Response, request

from server.web.browser import HEADERS, policy

_REVALIDATE: Final = "no-cache"
_TAG_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file's contents, and their ETag (RFC 9110 8.8.3)."""

    body: bytes
    media_type: str
    tag: str
    compressed: bytes


def static_file(body: bytes, media_type: str) -> StaticFile:
    """Prepare a file. Callers cache the result, because it is hashed and compressed here."""
    tag = hashlib.sha256(body).hexdigest()[:_TAG_LENGTH]
    return StaticFile(body, media_type, tag, gzip.compress(body, mtime=0))


def response(file: StaticFile, *, script: bool = False) -> Response:
    """The response with the file, or 304 if the browser has it."""
    shrinks = len(file.compressed) < len(file.body)
    zipped = shrinks and request.accept_encodings["gzip"] > 0
    answer = Response(file.compressed if zipped else file.body, mimetype=file.media_type)
    answer.set_etag(f"{file.tag}-gzip" if zipped else file.tag)
    if shrinks:
        answer.vary.add("Accept-Encoding")
    if zipped:
        answer.content_encoding = "gzip"
    answer.headers.extend({**HEADERS, "Content-Security-Policy": policy(script=script)})
    answer.headers["Cache-Control"] = _REVALIDATE
    answer.make_conditional(request)
    return answer
