"""Secrets of clients: made once, told once, kept as a hash, renewed with an overlap."""

import hashlib
from dataclasses import replace
from typing import Final

from server.model.clients import Secret
from server.model.ports import Secrets
from server.services.refusals import Invalid, about

DEFAULT_OVERLAP_MS: Final = 24 * 60 * 60 * 1000
"""How long an old secret goes on working when nobody says otherwise."""
LONGEST_OVERLAP_MS: Final = 30 * 24 * 60 * 60 * 1000

_HINT_CHARACTERS = 4


def new(secrets: Secrets, prefix: str, now: int) -> tuple[Secret, str]:
    """A secret as it is kept, and its text, which nobody can read again."""
    text = secrets.new_secret(prefix)
    kept = Secret(
        id=secrets.new_id(""),
        hash=hashlib.sha256(text.encode()).digest(),
        hint=text[-_HINT_CHARACTERS:],
        created_at=now,
        expires_at=None,
        last_used_at=None,
    )
    return kept, text


@about("overlap")
def check_overlap(overlap_ms: int) -> int:
    """The overlap again. Raises `Invalid` for one that is too long."""
    if not 0 <= overlap_ms <= LONGEST_OVERLAP_MS:
        raise Invalid("Old and new secret may both work for 30 days at most.")
    return overlap_ms


def ending(kept: tuple[Secret, ...], at: int, now: int) -> tuple[Secret, ...]:
    """Those that still work, none of them longer than until `at`."""
    ended = [replace(secret, expires_at=min(at, secret.expires_at or at)) for secret in kept]
    return tuple(secret for secret in ended if (secret.expires_at or now) > now)
