"""Handles that only their hash is kept of."""

import hashlib


def handle_hash(handle: str) -> bytes:
    """What the database keeps of a handle."""
    return hashlib.sha256(handle.encode()).digest()
