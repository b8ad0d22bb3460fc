"""What may be a password, and how long a form waits after one was wrong."""

import ipaddress
import unicodedata
from typing import Final

SHORTEST: Final = 12
LONGEST: Final = 256
FREE_TRIES: Final = 5
"""So many wrong ones in a row cost no time at all."""
LONGEST_PAUSE_MS: Final = 5 * 60 * 1000
FREE_TRIES_OF_ADDRESS: Final = 30
"""Many people may share an address, so it has more, and a shorter longest pause."""
LONGEST_PAUSE_OF_ADDRESS_MS: Final = 60 * 1000
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


def spelled(name: str) -> str:
    """A name, e-mail address or id as it is looked up, in one Unicode form.

    Registered names have no compatibility forms, so this loses none of them.
    """
    return unicodedata.normalize("NFKC", name).strip()


def network(address: str) -> str:
    """Where a try comes from: an IPv4 address, or the /64 that one IPv6 host chooses from."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    mapped = found.ipv4_mapped
    return str(mapped or ipaddress.ip_network((found, 64), strict=False))


def is_loopback(address: str) -> bool:
    """Reports whether this address is the machine's own."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def pause_ms(tries: int) -> int:
    """How long an account waits at one address after so many failures: twice as long each time."""
    return _pause(tries - FREE_TRIES, LONGEST_PAUSE_MS)


def pause_of_address_ms(tries: int) -> int:
    """How long an address waits after so many failures, over all accounts."""
    return _pause(tries - FREE_TRIES_OF_ADDRESS, LONGEST_PAUSE_OF_ADDRESS_MS)


def _pause(over: int, longest: int) -> int:
    return 0 if over < 0 else min(1000 << min(over, 20), longest)
