"""Base64url without padding, in its canonical form (RFC 4648 5, RFC 7515 2).

Owns: encoding and decoding. Never: the meaning of the bytes.
"""

import base64


def encode(raw: bytes) -> str:
    """Encode bytes as base64url."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Decode base64url. Raises ValueError unless it is in the form that `encode` returns."""
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(raw) != text:
        raise ValueError("not canonical base64url")
    return raw
