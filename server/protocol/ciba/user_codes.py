"""The secret that a person shares with agents, so that strangers cannot page them (CIBA 7.1.2).

Owns: what may be one. Never: its hash, and how often it may be tried; those are `services`.
"""

import unicodedata
from typing import Final

from server.protocol import errors

SHORTEST: Final = 4
LONGEST: Final = 64


def check_new(code: str) -> str:
    """A code that a person chooses, as it is compared. Raises errors.Problem 422 `invalid_body`."""
    composed = normalise(code)
    if not SHORTEST <= len(composed) <= LONGEST or not composed.isprintable():
        raise errors.Problem(
            422,
            "invalid_body",
            f"A user code has {SHORTEST} to {LONGEST} characters that can be printed.",
        )
    return composed


def normalise(code: str) -> str:
    """One spelling of the same text, without the blanks around it."""
    return unicodedata.normalize("NFC", code).strip()
