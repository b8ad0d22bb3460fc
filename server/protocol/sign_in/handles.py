"""Hashes of handles."""

import hashlib


def handle_hash(handle: str) -> bytes:
    """Return the hash of a handle, which is stored instead of the handle."""
    return hashlib.sha256(handle.encode()).digest()
