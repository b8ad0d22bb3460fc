"""Narrowing: granting part of a request.

Owns: the granted text, how it is derived from the action text, and the check that it grants no
more. Never: who may narrow, the schema of an action type, or text on screens.

The granted text is the action text with fewer scopes, narrower `authorization_details` and, for a
shorter token lifetime, a member `token_seconds`. Within the details, only the members that the
action type lists in `narrow` may differ, each by its rule:

    lower     an integer or money: from 0 to the requested amount, in the same currency
    drop      a list: some of its items, in the same order
    earlier   a time: the same or an earlier time
    turn_on   a boolean: true instead of the requested false

People enter a narrower value as text: `500` or `499.50`, `1,3` for the items to keep (counted from
1, or `none`), `2026-11-25T14:30:00Z`, `yes`.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from server.protocol import errors, json_text
from server.protocol.json_text import JsonValue
from server.protocol.policy import rendering, schemas, uses
from server.protocol.policy.fact_rules import Narrowing
from server.protocol.policy.uses import Path

NOT_GRANTED: Final = "(not granted)"
"""Shown instead of a requested value that was not granted."""

NarrowingRules = Mapping[Path, Narrowing]
"""The narrowing rules of one action type, by path."""

_FIXED_MEMBERS = frozenset({"agent", "resource", "salt", "user"})
_NARROWABLE_MEMBERS = frozenset({"authorization_details", "scope"})
_LIFETIME_MEMBER = "token_seconds"
_DECIMAL = re.compile(r"(\d{1,16})(?:\.(\d{1,4}))?", re.ASCII)
_ITEMS = re.compile(r"none|[1-9]\d{0,3}(?:,[1-9]\d{0,3})*", re.ASCII)
_BOOLEAN_ENTRIES = {"yes": True, "true": True, "no": False, "false": False}


class NotNarrower(ValueError):
    """The granted text exceeds the request: `pointer` says where, and `remedy` says why."""

    def __init__(self, pointer: str, remedy: str) -> None:
        super().__init__(f"{pointer or 'what is granted'}: {remedy}")
        self.pointer = pointer
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Terms:
    """The details, scopes and lifetime that a token may have."""

    details: tuple[Mapping[str, JsonValue], ...]
    scope: tuple[str, ...]
    seconds: int | None = None
    """The maximum token lifetime, if the approver set one."""


@dataclass(frozen=True, slots=True)
class Change:
    """A narrower value: the number of the object (from 0), the path in it, and the entered text."""

    place: int
    path: Path
    to: str


def terms(text: str) -> Terms:
    """Return the terms of an action text or granted text."""
    members = json.loads(text)
    return Terms(
        tuple(members["authorization_details"]),
        tuple(members["scope"]),
        members.get(_LIFETIME_MEMBER),
    )


def granted_text(action: str, granted: Terms) -> str:
    """Return the canonical granted text of these terms."""
    members: dict[str, Any] = {
        **json.loads(action),
        "authorization_details": [dict(detail) for detail in granted.details],
        "scope": sorted(set(granted.scope)),
    }
    if granted.seconds is not None:
        members[_LIFETIME_MEMBER] = granted.seconds
    return json_text.canonical(members)


def narrowed_details(
    requested: Terms,
    drop: Collection[str],
    changes: Iterable[Change],
    rules: Sequence[NarrowingRules],
) -> Terms:
    """Apply a requested narrowing; `check_narrower` checks the result. Raises NotNarrower."""
    for name in sorted(set(drop) - set(requested.scope)):
        raise NotNarrower("scope", f"{name} was not requested")
    details: list[JsonValue] = [json.loads(json.dumps(detail)) for detail in requested.details]
    for change in changes:
        if not 0 <= change.place < len(details):
            raise NotNarrower(f"/{change.place}", "the request has no such object")
        rule = rule_of(change.path, rules[change.place])
        if rule is None:
            raise NotNarrower(
                _pointer(change), "this action type does not allow that to be narrowed"
            )
        _apply_change(details[change.place], change, rule)
    remaining_scope = tuple(name for name in requested.scope if name not in drop)
    return Terms(tuple(cast("dict[str, JsonValue]", detail) for detail in details), remaining_scope)


def read_granted(action: str, granted: str) -> Terms:
    """Parse and check a granted text against its action text. Raises NotNarrower.

    It must be in the server's exact form, have the same agent, user, resource and salt, and only
    requested scopes. `check_narrower` checks the details, because that depends on their types.
    """
    try:
        members = json_text.parse(granted, what="granted")
    except errors.InvalidRequest:
        raise NotNarrower("", "is not JSON") from None
    if (
        not isinstance(members, dict)
        or members.keys() - {_LIFETIME_MEMBER} != _FIXED_MEMBERS | _NARROWABLE_MEMBERS
    ):
        raise NotNarrower("", "has unknown or missing members")
    requested = json.loads(action)
    if any(members[name] != requested[name] for name in _FIXED_MEMBERS):
        raise NotNarrower("", "belongs to a different request")
    granted_terms = _read_terms(members)
    if granted != granted_text(action, granted_terms):
        raise NotNarrower("", "is not in canonical form")
    _check_not_more(granted_terms, terms(action))
    return granted_terms


def _check_not_more(granted: Terms, requested: Terms) -> None:
    if not set(granted.scope) <= set(requested.scope):
        raise NotNarrower("scope", "grants more than was requested")
    if len(granted.details) != len(requested.details):
        raise NotNarrower("authorization_details", "must have as many objects as the request")
    if granted == requested:
        raise NotNarrower("", "grants everything that was requested; approve it without limits")
    if not granted.scope and not granted.details:
        raise NotNarrower("", "leaves nothing; deny the request instead")


def check_narrower(
    requested: JsonValue, granted: JsonValue, rules: NarrowingRules, trail: Path = ()
) -> JsonValue:
    """Check that a granted value is within the requested value. Raises NotNarrower.

    Returns the requested value with the granted values filled in, and NOT_GRANTED for items that
    were left out, so that both can be shown side by side.
    """
    if (rule := rule_of(trail, rules)) is not None and rule != "drop":
        if not _is_equal(requested, granted) and not _IS_NARROWER[rule](requested, granted):
            raise NotNarrower(uses.as_pointer(trail), "is not less than what was requested")
        return granted
    if (
        isinstance(requested, dict)
        and isinstance(granted, dict)
        and requested.keys() == granted.keys()
    ):
        return {k: check_narrower(v, granted[k], rules, (*trail, k)) for k, v in requested.items()}
    if isinstance(requested, list) and isinstance(granted, list):
        return _compare_items(requested, granted, rules, trail)
    if not _is_equal(requested, granted):
        raise NotNarrower(uses.as_pointer(trail), "may not be changed")
    return granted


def rule_of(trail: Path, rules: NarrowingRules) -> Narrowing | None:
    """Return the narrowing rule of the value at this path, or None if it may not change."""
    for path, rule in rules.items():
        if len(path) == len(trail) and all(map(_matches, path, trail)):
            return rule
    return None


def _matches(part: str, step: str) -> bool:
    return part == step or (part == schemas.ANY_ITEM and step.isdecimal())


def _compare_items(
    requested: list[JsonValue], granted: list[JsonValue], rules: NarrowingRules, trail: Path
) -> JsonValue:
    """Match granted items with requested items, in order; the other items were dropped."""
    may_drop = rule_of(trail, rules) == "drop"
    if not may_drop and len(requested) != len(granted):
        raise NotNarrower(uses.as_pointer(trail), "must keep all its items")
    remaining, compared = list(granted), list[JsonValue]()
    for index, item in enumerate(requested):
        try:
            compared.append(check_narrower(item, remaining[0], rules, (*trail, str(index))))
            remaining.pop(0)
        except (IndexError, NotNarrower):
            if not may_drop:
                raise
            compared.append(_mark_not_granted(item))
    if remaining:
        raise NotNarrower(
            uses.as_pointer(trail), "has items that were not requested, or in a different order"
        )
    return compared


def _mark_not_granted(value: JsonValue) -> JsonValue:
    """Return the same structure with all values replaced by NOT_GRANTED."""
    if isinstance(value, dict) and value and not uses.has_money_members(value):
        return {name: _mark_not_granted(member) for name, member in value.items()}
    if isinstance(value, list) and value:
        return [_mark_not_granted(item) for item in value]
    return NOT_GRANTED


def _is_lower(requested: JsonValue, granted: JsonValue) -> bool:
    if uses.has_money_members(requested) and uses.has_money_members(granted):
        same_currency = requested["currency"] == granted["currency"]
        return same_currency and _is_lower(requested["minor"], granted["minor"])
    are_integers = uses.is_integer(requested) and uses.is_integer(granted)
    return are_integers and 0 <= cast("int", granted) < cast("int", requested)


def _is_equal(requested: JsonValue, granted: JsonValue) -> bool:
    """Return whether two values are equal in JSON, where 1 and true differ, unlike in Python."""
    return json_text.canonical(requested) == json_text.canonical(granted)


def _is_earlier(requested: JsonValue, granted: JsonValue) -> bool:
    requested_time, granted_time = _parse_time(requested), _parse_time(granted)
    if (
        requested_time is None
        or granted_time is None
        or (requested_time.tzinfo is None) is not (granted_time.tzinfo is None)
    ):
        return False
    return granted_time < requested_time


def _parse_time(value: JsonValue) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _is_turned_on(requested: JsonValue, granted: JsonValue) -> bool:
    return requested is False and granted is True


_IS_NARROWER = {"lower": _is_lower, "earlier": _is_earlier, "turn_on": _is_turned_on}


def _read_terms(members: Mapping[str, JsonValue]) -> Terms:
    """Read the members as terms. Raises NotNarrower if they have the wrong form."""
    details, scope = members["authorization_details"], members["scope"]
    if not isinstance(details, list) or not all(isinstance(detail, dict) for detail in details):
        raise NotNarrower("authorization_details", "must be a list of objects")
    if not isinstance(scope, list) or not all(isinstance(name, str) for name in scope):
        raise NotNarrower("scope", "must be a list of strings")
    seconds = members.get(_LIFETIME_MEMBER)
    if _LIFETIME_MEMBER in members and not (uses.is_integer(seconds) and seconds > 0):
        raise NotNarrower(_LIFETIME_MEMBER, "must be whole seconds, 1 or more")
    return Terms(
        tuple(cast("list[dict[str, JsonValue]]", details)),
        tuple(cast("list[str]", scope)),
        cast("int | None", seconds),
    )


def _apply_change(detail: JsonValue, change: Change, rule: Narrowing) -> None:
    parent: Any = detail
    try:
        for step in change.path[:-1]:
            parent = parent[_to_key(parent, step)]
        key = _to_key(parent, change.path[-1])
        parent[key] = _parse_entry(parent[key], change, rule)
    except (KeyError, IndexError, TypeError):
        raise NotNarrower(_pointer(change), "is not in the request") from None


def _to_key(parent: object, step: str) -> str | int:
    return int(step) if isinstance(parent, list) and step.isdecimal() else step


def _parse_entry(requested: JsonValue, change: Change, rule: Narrowing) -> JsonValue:
    """Convert entered text to the type of the requested value. Raises NotNarrower."""
    if rule == "drop":
        return _parse_items(requested, change)
    if rule == "earlier":
        return change.to
    if rule == "turn_on":
        if change.to not in _BOOLEAN_ENTRIES:
            raise NotNarrower(_pointer(change), "must be yes or no")
        return _BOOLEAN_ENTRIES[change.to]
    if uses.has_money_members(requested):
        digits = rendering.minor_digits(requested["currency"])
        return {**requested, "minor": _parse_number(change, digits)}
    return _parse_number(change, 0)


def read_number(text: str, digits: int) -> int:
    """Parse an entered number as an integer with `digits` decimal places.

    Raises ValueError, which says what to enter.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None or len(match[2] or "") > digits:
        form = f"a number with up to {digits} decimal places" if digits else "a whole number"
        raise ValueError(f"must be {form}, such as 500")
    number = int(match[1] + (match[2] or "").ljust(digits, "0"))
    if number > json_text.MAX_INTEGER:
        raise ValueError("is too large")
    return number


def _parse_number(change: Change, digits: int) -> int:
    try:
        return read_number(change.to, digits)
    except ValueError as error:
        raise NotNarrower(_pointer(change), str(error)) from None


def _parse_items(requested: JsonValue, change: Change) -> JsonValue:
    if not isinstance(requested, list) or not _ITEMS.fullmatch(change.to):
        raise NotNarrower(
            _pointer(change), "enter the numbers of the items to keep, such as 1,3, or none"
        )
    numbers = [] if change.to == "none" else [int(number) for number in change.to.split(",")]
    if any(number > len(requested) for number in numbers):
        raise NotNarrower(_pointer(change), f"the list has {len(requested)} items")
    return [requested[number - 1] for number in sorted(set(numbers))]


def _pointer(change: Change) -> str:
    return f"/{change.place}{uses.as_pointer(change.path)}"
