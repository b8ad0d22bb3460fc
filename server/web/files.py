"""Static files: style sheets, scripts, icons, the manifest.

Owns: their caching. Browsers revalidate them for every use, so that no page runs with the scripts
of another version. Never: anything about a person.
"""

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


def static_file(body: bytes, media_type: str) -> StaticFile:
    """Prepare a file. Callers cache the result, because the ETag is a hash of the contents."""
    return StaticFile(body, media_type, hashlib.sha256(body).hexdigest()[:_TAG_LENGTH])


def response(file: StaticFile, *, script: bool = False) -> Response:
    """The response with the file, or 304 if the browser has it."""
    answer = Response(file.body, mimetype=file.media_type)
    answer.set_etag(file.tag)
    answer.headers.extend({**HEADERS, "Content-Security-Policy": policy(script=script)})
    answer.headers["Cache-Control"] = _REVALIDATE
    answer.make_conditional(request)
    return answer
