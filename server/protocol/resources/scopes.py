"""Scope lists: read, compare, write (RFC 6749 3.3)."""

import re
from typing import Final

from server.protocol import errors

OPENID: Final = "openid"
OPENID_SCOPES: Final = frozenset({"openid", "profile", "email"})
"""Scopes about the person, not about a resource (OpenID Connect Core 5.4)."""

_TOKEN = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,128}")
_MOST = 64


def parse(text: str) -> tuple[str, ...]:
    """The scopes in this list, each once, sorted. Raises errors.InvalidScope."""
    names = text.split(" ")
    if len(names) > _MOST:
        raise errors.InvalidScope(f"At most {_MOST} scopes may be requested at once.")
    if not all(_TOKEN.fullmatch(name) for name in names):
        raise errors.InvalidScope("scope must be names separated by single spaces.")
    return tuple(sorted(set(names)))


def is_scope(name: str) -> bool:
    """Reports whether this can be the name of a scope."""
    return _TOKEN.fullmatch(name) is not None


def about_person(scopes: tuple[str, ...]) -> bool:
    """Reports whether these are OpenID scopes alone; no resource has one of that name."""
    return bool(scopes) and OPENID_SCOPES.issuperset(scopes)


def split(scopes: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The OpenID scopes, and those that belong to resources."""
    openid = tuple(name for name in scopes if name in OPENID_SCOPES)
    return openid, tuple(name for name in scopes if name not in OPENID_SCOPES)


def split_asked(asked: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Likewise of a request of an app, which names its scopes. Raises errors.InvalidScope."""
    if asked is None:
        raise errors.InvalidScope("Name the scopes; there is no default.")
    openid, scope = split(parse(asked))
    if openid and OPENID not in openid:
        raise errors.InvalidScope("Scopes about the person go with openid.")
    return openid, scope


def text(scopes: tuple[str, ...]) -> str:
    """The list as it is sent."""
    return " ".join(scopes)
