"""Client secrets: shown once, stored as a hash, rotated with an overlap."""

from dataclasses import replace
from typing import Final

from server.model.clients import Secret
from server.model.ports import Secrets
from server.protocol.names import handle_hash
from server.services.refusals import Invalid, error_member

DEFAULT_OVERLAP_MS: Final = 24 * 60 * 60 * 1000
"""How long an old secret keeps working by default."""
MAX_OVERLAP_MS: Final = 30 * 24 * 60 * 60 * 1000

_HINT_CHARACTERS = 4


def new(secrets: Secrets, prefix: str, now: int) -> tuple[Secret, str]:
    """Return a new secret: the record to store, and its text, which cannot be read again."""
    text = secrets.new_secret(prefix)
    record = Secret(
        id=secrets.new_id(""),
        hash=handle_hash(text),
        hint=text[-_HINT_CHARACTERS:],
        created_at=now,
    )
    return record, text


@error_member("overlap")
def check_overlap(overlap_ms: int) -> int:
    """Return the overlap. Raises `Invalid` if it is too long."""
    if not 0 <= overlap_ms <= MAX_OVERLAP_MS:
        raise Invalid("The overlap of old and new secrets can be at most 30 days.")
    return overlap_ms


def expire_by(stored: tuple[Secret, ...], at: int, now: int) -> tuple[Secret, ...]:
    """Return the secrets that still work, each changed to expire at `at` or earlier."""
    secrets = [replace(secret, expires_at=min(at, secret.expires_at or at)) for secret in stored]
    return tuple(secret for secret in secrets if (secret.expires_at or now) > now)
