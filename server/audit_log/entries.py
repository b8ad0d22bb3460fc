"""The exact bytes of an entry and its leaf hash. The bytes are stored and never encoded again."""

import hashlib
from collections.abc import Mapping
from typing import Any

from server.audit_log.canonical import canonical

VERSION = 1
_LEAF = b"\x00"


def entry_bytes(members: Mapping[str, Any]) -> bytes:
    """The RFC 8785 bytes of an entry, without members that are None."""
    present = {name: value for name, value in members.items() if value is not None}
    return canonical({"v": VERSION, **present})


def leaf_hash(body: bytes) -> bytes:
    """SHA-256 of a zero byte and the entry's bytes (RFC 6962 2.1)."""
    return hashlib.sha256(_LEAF + body).digest()
