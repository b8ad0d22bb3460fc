"""Bytes as text without padding (RFC 4648 5, RFC 7515 2), in its one spelling.

Owns: both directions. Never: what the bytes are.
"""

import base64


def encode(raw: bytes) -> str:
    """The text of these bytes."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of this text. Raises ValueError for every spelling but the one of `encode`."""
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(raw) != text:
        raise ValueError("another spelling of the same bytes")
    return raw
