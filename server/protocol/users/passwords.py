"""The rules for passwords, and the pauses after failed attempts."""

import unicodedata
from typing import Final

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 256
FREE_ATTEMPTS: Final = 5
"""The number of failed attempts in a row that causes the first pause."""
MAX_PAUSE_MS: Final = 5 * 60 * 1000
FREE_ATTEMPTS_PER_ADDRESS: Final = 30
"""Many people may share an address, so it has more attempts and shorter pauses."""
MAX_ADDRESS_PAUSE_MS: Final = 60 * 1000
ATTEMPTS_RESET_MS: Final = 60 * 60 * 1000
"""The count of attempts restarts after an hour without an attempt."""


def check(raw: str) -> str:
    """Return the normalized password. Raises ValueError with the reason."""
    password = normalize(raw)
    if len(password) < MIN_LENGTH:
        raise ValueError(f"A password must have at least {MIN_LENGTH} characters")
    if len(password) > MAX_LENGTH:
        raise ValueError(f"A password must have at most {MAX_LENGTH} characters")
    if any(unicodedata.category(character) == "Cc" for character in password):
        raise ValueError("A password must not have control characters")
    return password


def normalize(raw: str) -> str:
    """Return one Unicode form, so that all keyboards enter the same password (RFC 8265 4.2)."""
    return unicodedata.normalize("NFC", raw)


def normalize_name(name: str) -> str:
    """Return a name, email address or ID in the form that is looked up.

    Registered names have no compatibility characters, so this does not merge different names.
    """
    return unicodedata.normalize("NFKC", name).strip()


def pause_ms(attempts: int) -> int:
    """Return the pause of an account at one address, which doubles after each failure."""
    return _pause(attempts - FREE_ATTEMPTS, MAX_PAUSE_MS)


def address_pause_ms(attempts: int) -> int:
    """Return the pause of an address after failures at any accounts."""
    return _pause(attempts - FREE_ATTEMPTS_PER_ADDRESS, MAX_ADDRESS_PAUSE_MS)


def _pause(excess: int, max_ms: int) -> int:
    return 0 if excess < 0 else min(1000 << min(excess, 20), max_ms)
