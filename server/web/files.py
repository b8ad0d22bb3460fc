"""Files that are the same for everybody: sheets, scripts, icons, the manifest.

Owns: how browsers keep them: as long as they like, and ask each time whether they are the latest,
so that no page runs with the scripts of another version. Never: anything of a person.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from flask import Response, request

from server.web.browser import HEADERS, policy

_ALWAYS_ASKED: Final = "no-cache"
_TAG_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class Kept:
    """A file as it is sent, and the name of exactly these bytes (RFC 9110 8.8.3)."""

    body: bytes
    media_type: str
    tag: str


def kept(body: bytes, media_type: str) -> Kept:
    """Make it once; its name costs a look at every byte."""
    return Kept(body, media_type, hashlib.sha256(body).hexdigest()[:_TAG_LENGTH])


def sent(file: Kept, *, script: bool = False) -> Response:
    """The file, or 304 to a browser that has these very bytes."""
    response = Response(file.body, mimetype=file.media_type)
    response.set_etag(file.tag)
    response.headers.extend({**HEADERS, "Content-Security-Policy": policy(script=script)})
    response.headers["Cache-Control"] = _ALWAYS_ASKED
    response.make_conditional(request)
    return response
