"""Whether a text grants part of an action, and where the two differ.

This checks a narrowing by another approver, where this user has no proposal to compare with.

Owns: the comparison of the two signed texts. Never: the server's wording; whether the action type
lets a fact be reduced, which the server checks.
"""

import json
from collections.abc import Iterator, Mapping

from approver_tui.state.approvals.narrowing import SECONDS, Place, is_smaller
from approver_tui.state.text import display_safe

_FIXED_MEMBERS = frozenset({"agent", "resource", "salt", "user"})
_MAX_LENGTH = 200


def differing_places(action: str, granted: str) -> tuple[Place, ...]:
    """Return where a text grants less than an action. Raises ValueError if it is not a part.

    Agent, user, resource and salt must be equal. Scopes and items may only be removed, and numbers
    and times only reduced; at least one value must differ.
    """
    try:
        requested, part = json.loads(action), json.loads(granted)
        places = tuple(_differences(requested, part))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("it is not an action") from error
    if not places:
        raise ValueError("nothing is reduced")
    return places


def _differences(requested: dict[str, object], part: dict[str, object]) -> Iterator[Place]:
    if part.keys() - {SECONDS} != requested.keys() or any(
        requested[name] != part[name] for name in _FIXED_MEMBERS
    ):
        raise ValueError("it belongs to a different request")
    if SECONDS in part:
        yield _lifetime_place(part[SECONDS])
    for name in sorted(requested.keys() - _FIXED_MEMBERS):
        yield from _value_differences(f"/{name}", requested[name], part[name])


def _lifetime_place(seconds: object) -> Place:
    if type(seconds) is not int or seconds <= 0:
        raise ValueError("its token has no lifetime")
    return _place(f"/{SECONDS}", "", json.dumps(seconds))


def _value_differences(pointer: str, requested: object, granted: object) -> Iterator[Place]:
    """Yield the differences of two values of the same structure, each as deep as possible."""
    if (
        isinstance(requested, Mapping)
        and isinstance(granted, Mapping)
        and requested.keys() == granted.keys()
    ):
        for name in requested:
            step = str(name).replace("~", "~0").replace("/", "~1")
            yield from _value_differences(f"{pointer}/{step}", requested[name], granted[name])
    elif (
        isinstance(requested, list) and isinstance(granted, list) and len(requested) == len(granted)
    ):
        for number, (old, new) in enumerate(zip(requested, granted, strict=True)):
            yield from _value_differences(f"{pointer}/{number}", old, new)
    elif type(requested) is not type(granted) or requested != granted:
        if not is_smaller(requested, granted):
            raise ValueError(f"{pointer} is not reduced")
        yield _place(pointer, json.dumps(requested), json.dumps(granted))


def _place(*texts: str) -> Place:
    return Place(*(display_safe(text, max_len=_MAX_LENGTH) for text in texts))
