"""User codes: a secret shared with agents, so that strangers cannot page a person (CIBA 7.1.2).

Owns: which codes are valid. Never: hashes and attempts (services).
"""

import unicodedata
from typing import Final

from server.protocol import errors

MIN_LENGTH: Final = 4
MAX_LENGTH: Final = 64


def check_new(code: str) -> str:
    """Return a new code in the form that is compared. Raises errors.Problem 422 `invalid_body`."""
    normalized = normalize(code)
    if not MIN_LENGTH <= len(normalized) <= MAX_LENGTH or not normalized.isprintable():
        raise errors.invalid_body(
            f"A user code must have {MIN_LENGTH} to {MAX_LENGTH} printable characters.",
        )
    return normalized


def normalize(code: str) -> str:
    """Normalize a code: one Unicode form, without surrounding spaces."""
    return unicodedata.normalize("NFC", code).strip()
