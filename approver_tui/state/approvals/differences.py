"""Whether a text grants a part of an action, and where the two differ.

It is for a part that somebody else has chosen: there is no wish of this person to hold it against.
Owns: the comparison of the two signed texts, and what differs in their own words. Never: how the
server words it; whether the type of an action lets a fact be less, which is the server's to check.
"""

import json
from collections.abc import Iterator, Mapping

from approver_tui.state.approvals.narrowing import SECONDS, Place, is_smaller
from approver_tui.state.text import display_safe

_SAME = frozenset({"agent", "resource", "salt", "user"})
_LONG = 200


def differing_places(action: str, granted: str) -> tuple[Place, ...]:
    """Return where a text grants less than an action. ValueError if it is no part of it.

    It is of the same agent, person, resource and salt. Scopes and items are left out, and none is
    added; numbers and times are smaller; nothing else differs, and something does.
    """
    try:
        asked, given = json.loads(action), json.loads(granted)
        found = tuple(_found(asked, given))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("it is no action") from error
    if not found:
        raise ValueError("nothing of it is less")
    return found


def _found(asked: dict[str, object], given: dict[str, object]) -> Iterator[Place]:
    if given.keys() - {SECONDS} != asked.keys() or any(asked[n] != given[n] for n in _SAME):
        raise ValueError("it is of another request")
    if SECONDS in given:
        yield _life(given[SECONDS])
    for name in sorted(asked.keys() - _SAME):
        yield from _differing(f"/{name}", asked[name], given[name])


def _life(seconds: object) -> Place:
    if type(seconds) is not int or seconds <= 0:
        raise ValueError("its token has no life")
    return _place(f"/{SECONDS}", "", json.dumps(seconds))


def _differing(pointer: str, asked: object, given: object) -> Iterator[Place]:
    """Where they differ, as deep as they are built alike."""
    if isinstance(asked, Mapping) and isinstance(given, Mapping) and asked.keys() == given.keys():
        for name in asked:
            step = str(name).replace("~", "~0").replace("/", "~1")
            yield from _differing(f"{pointer}/{step}", asked[name], given[name])
    elif isinstance(asked, list) and isinstance(given, list) and len(asked) == len(given):
        for number, (before, after) in enumerate(zip(asked, given, strict=True)):
            yield from _differing(f"{pointer}/{number}", before, after)
    elif type(asked) is not type(given) or asked != given:
        if not is_smaller(asked, given):
            raise ValueError(f"{pointer} is not less")
        yield _place(pointer, json.dumps(asked), json.dumps(given))


def _place(*texts: str) -> Place:
    return Place(*(display_safe(text, max_len=_LONG) for text in texts))
