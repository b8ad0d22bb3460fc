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
    """Return where a text grants less than an action. Raises ValueError if it grants more.

    Agent, user, resource and salt must be equal. Scopes and items may only be removed, and numbers
    and times only reduced; at least one value must differ.
    """
    try:
        asked, given = json.loads(action), json.loads(granted)
        places = tuple(_differences(asked, given))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("it is not an action") from error
    if not places:
        raise ValueError("nothing is reduced")
    return places


def _differences(asked: dict[str, object], given: dict[str, object]) -> Iterator[Place]:
    if given.keys() - {SECONDS} != asked.keys() or any(
        asked[name] != given[name] for name in _FIXED_MEMBERS
    ):
        raise ValueError("it belongs to another request")
    if SECONDS in given:
        yield _lifetime_place(given[SECONDS])
    for name in sorted(asked.keys() - _FIXED_MEMBERS):
        yield from _value_differences(f"/{name}", asked[name], given[name])


def _lifetime_place(seconds: object) -> Place:
    if type(seconds) is not int or seconds <= 0:
        raise ValueError("its token has no lifetime")
    return _place(f"/{SECONDS}", "", json.dumps(seconds))


def _value_differences(pointer: str, asked: object, given: object) -> Iterator[Place]:
    """Yield where two values of the same structure differ, as deep in them as possible."""
    if isinstance(asked, Mapping) and isinstance(given, Mapping) and asked.keys() == given.keys():
        for name in asked:
            step = str(name).replace("~", "~0").replace("/", "~1")
            yield from _value_differences(f"{pointer}/{step}", asked[name], given[name])
    elif isinstance(asked, list) and isinstance(given, list) and len(asked) == len(given):
        for number, (before, after) in enumerate(zip(asked, given, strict=True)):
            yield from _value_differences(f"{pointer}/{number}", before, after)
    elif type(asked) is not type(given) or asked != given:
        if not is_smaller(asked, given):
            raise ValueError(f"{pointer} is not less")
        yield _place(pointer, json.dumps(asked), json.dumps(given))


def _place(*texts: str) -> Place:
    return Place(*(display_safe(text, max_len=_LONG) for text in texts))
