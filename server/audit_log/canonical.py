"""The canonical bytes of a document (RFC 8785).

Owns: which of two writers makes them. Never: what the document says.

Of ASCII text and whole numbers the standard library's writer makes the same bytes several times as
fast. Fractions, great numbers and the order of other names are rfc8785's.
"""

import json
from typing import Any

import rfc8785

_MAX_INTEGER = 2**53 - 1
_WRITER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, sort_keys=True)


def canonical(document: Any) -> bytes:  # noqa: ANN401  # JSON
    """The bytes that are hashed. Raises rfc8785.CanonicalizationError for what is not JSON."""
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
