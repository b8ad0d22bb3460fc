"""The canonical bytes of a document (RFC 8785).

Owns: the choice between two encoders. Never: the contents of the document.

For ASCII text and integers, the standard library's encoder returns the same bytes and is several
times faster. rfc8785 encodes fractions, large numbers and non-ASCII text.
"""

import json
from typing import Any

import rfc8785

_MAX_INTEGER = 2**53 - 1
_WRITER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, sort_keys=True)


def canonical(document: Any) -> bytes:  # noqa: ANN401  # JSON
    """The canonical bytes. Raises rfc8785.CanonicalizationError if the document is not JSON."""
    return _WRITER.encode(document).encode() if _is_plain(document) else rfc8785.dumps(document)


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return value.isascii()
    if isinstance(value, dict):
        return all(map(_is_name, value)) and all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, int):
        return -_MAX_INTEGER <= value <= _MAX_INTEGER
    return value is None


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name.isascii()
