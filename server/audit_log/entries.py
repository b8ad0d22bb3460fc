"""The bytes of an entry, its leaf hash, and its personal texts, which the bytes commit to.

The bytes are stored and never encoded again. A commitment is an HMAC of the text with its own
salt. Text and salt are stored next to the entry, so they can be erased.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from server.audit_log.canonical import canonical

VERSION = 1
ERASED: Final = "erased"
"""What an entry shows in place of an erased text."""
CHANGED: Final = "changed outside of Sayso"
"""What an entry shows in place of a text that does not match its commitment."""
_LEAF = b"\x00"


@dataclass(frozen=True, slots=True)
class Opening:
    """A personal text, and the salt of its commitment."""

    text: str
    salt: bytes

    @property
    def commitment(self) -> str:
        """HMAC-SHA256 of the text with the salt as key, hexadecimal."""
        return hmac.digest(self.salt, self.text.encode(), "sha256").hex()


def entry_bytes(members: Mapping[str, Any]) -> bytes:
    """The RFC 8785 bytes of an entry, without members that are None."""
    present = {name: value for name, value in members.items() if value is not None}
    return canonical({"v": VERSION, **present})


def leaf_hash(body: bytes) -> bytes:
    """SHA-256 of a zero byte and the entry's bytes (RFC 6962 2.1)."""
    return hashlib.sha256(_LEAF + body).digest()


def commit_facts(
    facts: Mapping[str, object], openings: Mapping[str, Opening]
) -> dict[str, Mapping[str, object] | None]:
    """The facts of an entry as members of its bytes: commitments in place of personal texts."""
    clear = {name: value for name, value in facts.items() if name not in openings}
    commitments = {name: opening.commitment for name, opening in openings.items()}
    return {"facts": clear or None, "committed": commitments or None}


def open_members(body: bytes, openings: Mapping[str, Opening]) -> dict[str, Any]:
    """The members of an entry, with its personal texts as facts; `erased` names missing ones."""
    members: dict[str, Any] = json.loads(body or b"{}")
    commitments = members.get("committed")
    if not commitments:
        return members
    texts = {
        name: _text(commitment, openings.get(name)) for name, commitment in commitments.items()
    }
    erased = sorted(commitments.keys() - openings.keys())
    facts = {**members.get("facts", {}), **texts}
    return {**members, "facts": facts, **({"erased": erased} if erased else {})}


def _text(commitment: str, opening: Opening | None) -> str:
    if opening is None:
        return ERASED
    return opening.text if opening.commitment == commitment else CHANGED
