"""The rules for passwords, and the wait after failed attempts."""

import ipaddress
import unicodedata
from typing import Final

SHORTEST: Final = 12
LONGEST: Final = 256
FREE_ATTEMPTS: Final = 5
"""Failed attempts in a row without a wait."""
LONGEST_PAUSE_MS: Final = 5 * 60 * 1000
FREE_OF_ADDRESS: Final = 30
"""Many people may share an address, so it has more, and shorter waits."""
LONGEST_PAUSE_OF_ADDRESS_MS: Final = 60 * 1000
FORGOTTEN_MS: Final = 60 * 60 * 1000
"""The count restarts after an hour without an attempt."""


def check(raw: str) -> str:
    """Return the normalized password. Raises ValueError with the reason."""
    password = normalize(raw)
    if len(password) < SHORTEST:
        raise ValueError(f"A password must have at least {SHORTEST} characters")
    if len(password) > LONGEST:
        raise ValueError(f"A password must have at most {LONGEST} characters")
    if any(unicodedata.category(character) == "Cc" for character in password):
        raise ValueError("A password must not have control characters")
    return password


def normalize(raw: str) -> str:
    """Return one Unicode form, so that every keyboard types the same password (RFC 8265 4.2)."""
    return unicodedata.normalize("NFC", raw)


def normalize_name(name: str) -> str:
    """Return a name, email address or ID in the form of lookups.

    Registered names have no compatibility forms, so this loses none of them.
    """
    return unicodedata.normalize("NFKC", name).strip()


def network(address: str) -> str:
    """Return the source of an attempt: an IPv4 address, or the /64 network of an IPv6 address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    mapped = found.ipv4_mapped
    return str(mapped or ipaddress.ip_network((found, 64), strict=False))


def is_loopback(address: str) -> bool:
    """Return whether this is a loopback address."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def pause_ms(attempts: int) -> int:
    """Return how long an account waits at one address: twice as long after each failure."""
    return _pause(attempts - FREE_ATTEMPTS, LONGEST_PAUSE_MS)


def pause_of_address_ms(attempts: int) -> int:
    """Return how long an address waits after failures over all accounts."""
    return _pause(attempts - FREE_OF_ADDRESS, LONGEST_PAUSE_OF_ADDRESS_MS)


def _pause(over: int, longest: int) -> int:
    return 0 if over < 0 else min(1000 << min(over, 20), longest)
