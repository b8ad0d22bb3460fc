"""Digests of the signed texts, and the fingerprint that people compare by eye.

Owns: SHA-256 over text as received. Never: canonical JSON; only the server makes that.
"""

import hashlib
from base64 import urlsafe_b64encode


def digest(text: str) -> str:
    """Return the base64url SHA-256 of the UTF-8 text, 43 characters without padding."""
    return urlsafe_b64encode(_sha256(text)).rstrip(b"=").decode()


def fingerprint(action_text: str) -> str:
    """Return the first 32 bits of the action's SHA-256, such as `9f3a-71c0`."""
    head = _sha256(action_text)[:4].hex()
    return f"{head[:4]}-{head[4:]}"


def same_fingerprint(left: str, right: str) -> bool:
    """Whether two fingerprints are equal, however they were typed."""
    return _normalize(left) == _normalize(right)


def _normalize(value: str) -> str:
    return value.strip().replace("-", "").replace(" ", "").lower()


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
