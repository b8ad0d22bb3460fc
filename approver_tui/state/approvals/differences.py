"""Whether a text grants a part of an action, and where the two differ.

It checks a narrowing by another approver, for which there is no proposal of this user to compare
with.

Owns: the comparison of the two signed texts. Never: the server's wording; whether the action type
lets a fact be reduced, which the server checks.
"""

import json
from collections.abc import Iterator, Mapping

from approver_tui.state.approvals.narrowing import SECONDS, Place, is_smaller
from approver_tui.state.text import display_safe

_FIXED_MEMBERS = frozenset({"agent", "resource", "salt", "user"})
_LONG = 200


def differing_places(action: str, granted: str) -> tuple[Place, ...]:
    """Return where a text grants less than an action. Raises ValueError if it is not a part.

    Agent, user, resource and salt must be equal. Scopes and items may only be removed, and numbers
    and times only reduced; at least one value must differ.
    """
    try:
        asked, part = json.loads(action), json.loads(granted)
        places = tuple(_differences(asked, part))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("it is not an action") from error
    if not places:
        raise ValueError("nothing is reduced")
    return places


def _differences(asked: dict[str, object], part: dict[str, object]) -> Iterator[Place]:
    if part.keys() - {SECONDS} != asked.keys() or any(
        asked[name] != part[name] for name in _FIXED_MEMBERS
    ):
        raise ValueError("it belongs to a different request")
    if SECONDS in part:
        yield _lifetime_place(part[SECONDS])
    for name in sorted(asked.keys() - _FIXED_MEMBERS):
        yield from _value_differences(f"/{name}", asked[name], part[name])


def _lifetime_place(seconds: object) -> Place:
    if type(seconds) is not int or seconds <= 0:
        raise ValueError("its token has no lifetime")
    return _place(f"/{SECONDS}", "", json.dumps(seconds))


def _value_differences(pointer: str, asked: object, granted: object) -> Iterator[Place]:
    """Yield where two values of the same structure differ, as deep in them as possible."""
    if (
        isinstance(asked, Mapping)
        and isinstance(granted, Mapping)
        and asked.keys() == granted.keys()
    ):
        for name in asked:
            step = str(name).replace("~", "~0").replace("/", "~1")
            yield from _value_differences(f"{pointer}/{step}", asked[name], granted[name])
    elif isinstance(asked, list) and isinstance(granted, list) and len(asked) == len(granted):
        for number, (before, after) in enumerate(zip(asked, granted, strict=True)):
            yield from _value_differences(f"{pointer}/{number}", before, after)
    elif type(asked) is not type(granted) or asked != granted:
        if not is_smaller(asked, granted):
            raise ValueError(f"{pointer} is not reduced")
        yield _place(pointer, json.dumps(asked), json.dumps(granted))


def _place(*texts: str) -> Place:
    return Place(*(display_safe(text, max_len=_LONG) for text in texts))
