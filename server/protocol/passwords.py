"""What may be a password, and how long a form waits after one was wrong."""

import unicodedata
from typing import Final

SHORTEST: Final = 12
LONGEST: Final = 256
FREE_TRIES: Final = 5
"""So many wrong ones in a row cost no time at all."""
LONGEST_PAUSE_MS: Final = 5 * 60 * 1000
FORGOTTEN_MS: Final = 60 * 60 * 1000
"""An hour without a try, and the count begins anew."""


def check(raw: str) -> str:
    """The password as it is hashed: one spelling per character. Raises ValueError with why not."""
    password = normal(raw)
    if len(password) < SHORTEST:
        raise ValueError(f"A password has at least {SHORTEST} characters")
    if len(password) > LONGEST:
        raise ValueError(f"A password has at most {LONGEST} characters")
    if any(unicodedata.category(character) == "Cc" for character in password):
        raise ValueError("A password has no control characters")
    return password


def normal(raw: str) -> str:
    """The password in one spelling, so that every keyboard types the same one (RFC 8265 4.2)."""
    return unicodedata.normalize("NFC", raw)


def pause_ms(tries: int) -> int:
    """How long the form waits after so many tries in vain: twice as long each time."""
    if tries < FREE_TRIES:
        return 0
    return min(1000 << min(tries - FREE_TRIES, 20), LONGEST_PAUSE_MS)
