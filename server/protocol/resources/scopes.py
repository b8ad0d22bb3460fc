"""Scope lists: parse, compare, format (RFC 6749 3.3)."""

import re
from typing import Final

from server.protocol import errors

OPENID: Final = "openid"
OPENID_SCOPES: Final = frozenset({"openid", "profile", "email"})
"""Scopes about the person, not a resource (OpenID Connect Core 5.4)."""

_TOKEN = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,128}")
_MAX_SCOPES = 64


def parse(text: str) -> tuple[str, ...]:
    """Return the scopes in this list, sorted and without duplicates. Raises errors.InvalidScope."""
    names = text.split(" ")
    if len(names) > _MAX_SCOPES:
        raise errors.InvalidScope(f"At most {_MAX_SCOPES} scopes may be requested at once.")
    if not all(_TOKEN.fullmatch(name) for name in names):
        raise errors.InvalidScope("scope must be names separated by single spaces.")
    return tuple(sorted(set(names)))


def is_scope(name: str) -> bool:
    """Return whether this is a valid scope name."""
    return _TOKEN.fullmatch(name) is not None


def about_person(scopes: tuple[str, ...]) -> bool:
    """Return whether these are only OpenID scopes, which are not scopes of any resource."""
    return bool(scopes) and OPENID_SCOPES.issuperset(scopes)


def split(scopes: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the OpenID scopes, and the scopes of resources."""
    openid = tuple(name for name in scopes if name in OPENID_SCOPES)
    return openid, tuple(name for name in scopes if name not in OPENID_SCOPES)


def split_requested(requested: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Parse and split the scopes that a client requests, if any. Raises errors.InvalidScope."""
    if requested is None:
        return (), ()
    openid, scope = split(parse(requested))
    if openid and OPENID not in openid:
        raise errors.InvalidScope("Scopes about the user require the openid scope.")
    return openid, scope


def text(scopes: tuple[str, ...]) -> str:
    """Return the list as a string."""
    return " ".join(scopes)
