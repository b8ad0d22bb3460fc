"""Hashes of handles: secrets, codes, tokens and cookies that only their holder knows."""

import hashlib


def handle_hash(handle: str) -> bytes:
    """Return the hash of a handle, which is stored instead of the handle."""
    return hashlib.sha256(handle.encode()).digest()
