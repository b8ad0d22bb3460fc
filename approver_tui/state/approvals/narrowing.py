"""Narrowing: what the user removes or reduces, and whether a text grants exactly that.

Owns: what the server says can be reduced, the proposal, the server's answer, the check before
signing. Never: making the text, which the server does; how a value is written.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from approver_tui.state.currencies import typed_amount
from approver_tui.state.text import Headline, LongLine, LongText, SafeText

DETAILS = "authorization_details"
SECONDS = "token_seconds"
MAX_LIFETIME = 86_400
"""The maximum lifetime of a token in seconds: one day."""
_BLANKED = None


class NarrowingRule(StrEnum):
    """How a fact can be reduced."""

    LOWER = "lower"
    """A number or an amount: any smaller one."""
    DROP = "drop"
    """A list: without some of its items."""
    EARLIER = "earlier"
    """A time: any earlier one."""
    TURN_ON = "turn_on"
    """A switch that makes the action harmless, such as a dry run."""


@dataclass(frozen=True, slots=True)
class NarrowableFact:
    """One fact that can be reduced, with its requested value."""

    place: int
    """The index of its object in the details."""
    pointer: str
    """The pointer within it; sent back as received, not safe to draw."""
    label: SafeText
    asked: LongLine
    rule: NarrowingRule
    items: tuple[SafeText, ...] = ()
    """The items of a list."""


@dataclass(frozen=True, slots=True)
class Narrowable:
    """Everything that can be reduced in one request."""

    scopes: tuple[str, ...]
    """Sent back as received, not safe to draw."""
    facts: tuple[NarrowableFact, ...]
    token_seconds: int
    """The token lifetime."""


@dataclass(frozen=True, slots=True)
class NarrowedFact:
    """A smaller value: the object's index, a JSON pointer, and the text that the user typed."""

    place: int
    pointer: str
    to: str

    @property
    def path(self) -> tuple[str, ...]:
        """The steps of the pointer."""
        return pointer_steps(self.pointer)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """The parts that the user wants to remove or reduce."""

    changes: tuple[NarrowedFact, ...] = ()
    drop_scopes: tuple[str, ...] = ()
    token_seconds: int | None = None
    """The shorter token lifetime, if any."""

    def __bool__(self) -> bool:
        """Whether anything is reduced."""
        return self != Narrowing()


def pointer_steps(pointer: str) -> tuple[str, ...]:
    """Return the steps of a JSON pointer (RFC 6901)."""
    steps = pointer.removeprefix("/").split("/")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)


def narrowed_headline(headline: SafeText, granted: "Granted | None") -> SafeText:
    """Return the headline of the granted part.

    If it equals the headline of the request, or may not be shown, it begins "With limits".
    """
    if granted is None:
        return headline
    has_own_headline = bool(granted.headline) and granted.headline != headline
    return granted.headline if has_own_headline else SafeText(f"With limits: {headline}")


def outcome_headline(headline: SafeText, granted: "Granted | None", *, is_given: bool) -> SafeText:
    """Return what was granted, then what was requested; `is_given` if it was approved."""
    if granted is None:
        return headline
    if not granted.headline or granted.headline == headline:
        return SafeText(f"{'Granted with limits' if is_given else 'With limits'}: {headline}")
    label = "Granted" if is_given else "With limits"
    return SafeText(f"{label}: {granted.headline} (requested: {headline})")


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact as requested and as granted."""

    label: SafeText
    asked: LongText
    granted: LongText


@dataclass(frozen=True, slots=True)
class Place:
    """Where two texts differ: a JSON pointer, and the JSON of each text there; "" if absent."""

    pointer: SafeText
    asked: SafeText
    granted: SafeText


@dataclass(frozen=True, slots=True)
class Granted:
    """The granted text. It is hashed as received; not safe to draw."""

    text: str
    differences: tuple[Difference, ...]
    places: tuple[Place, ...] = field(default=(), compare=False)
    """The differences between the two texts themselves, independent of the server's wording."""
    headline: Headline = field(default=SafeText(""), compare=False)
    """The granted text in one line; empty if it may not be shown."""


def read_change(text: str) -> NarrowedFact:
    """Parse `amount=500`, `/lines/0/price=5` or `2:amount=500`. Raises ValueError.

    The number is the object, counted from 1; dots between names can stand for a pointer's slashes.
    """
    name, equals, to = text.partition("=")
    number, colon, fact = name.rpartition(":")
    if not equals or not fact or (colon and not (number.isdecimal() and int(number))):
        raise ValueError("use the form FACT=VALUE, such as amount=500")
    pointer = fact if fact.startswith("/") else "/" + fact.replace(".", "/")
    return NarrowedFact(int(number or 1) - 1, pointer, to)


def matches_narrowing(proposal: Narrowing, action: str, granted: str) -> bool:
    """Whether a text grants the action with exactly the proposed reductions."""
    try:
        requested, part = json.loads(action), json.loads(granted)
        token_seconds = part.pop(SECONDS, None)
        remaining_scopes = [name for name in requested["scope"] if name not in proposal.drop_scopes]
        is_same_request = {**requested, "scope": remaining_scopes, DETAILS: []} == {
            **part,
            DETAILS: [],
        }
        before, after = requested[DETAILS], part[DETAILS]
        are_smaller = all(_blank_change(before, after, change) for change in proposal.changes)
        is_same_lifetime = (token_seconds, type(token_seconds)) == (
            proposal.token_seconds,
            type(proposal.token_seconds),
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return False
    return (
        is_same_request
        and is_same_lifetime
        and are_smaller
        and json.dumps(before) == json.dumps(after)
    )


def _blank_change(before: Any, after: Any, change: NarrowedFact) -> bool:  # noqa: ANN401  # parsed JSON
    """Blank the changed value in both; return whether the new one is smaller and as typed."""
    *parents, last = (str(change.place), *change.path)
    for step in parents:
        before, after = before[_to_key(before, step)], after[_to_key(after, step)]
    key = _to_key(before, last)
    is_lower = is_smaller(before[key], after[key])
    is_typed = after[key] == _typed_value(before[key], change.to)
    before[key] = after[key] = _BLANKED
    return is_lower and is_typed


def _typed_value(requested: Any, typed: str) -> object:  # noqa: ANN401  # parsed JSON
    """Return the value that the user typed, in the form of the requested value."""
    if isinstance(requested, bool):
        return not requested
    if isinstance(requested, int):
        return int(typed)
    if isinstance(requested, Mapping):
        return typed_amount(typed, requested["currency"])
    if isinstance(requested, list):
        numbers = set() if typed == "none" else {int(number) for number in typed.split(",")}
        return [requested[number - 1] for number in sorted(numbers)]
    return typed


def _to_key(container: object, step: str) -> str | int:
    return int(step) if isinstance(container, list) else step


def is_smaller(requested: object, granted: object) -> bool:
    """Whether `granted` is less: a lower number, fewer items, an earlier time, a switch on."""
    if requested == granted and type(requested) is type(granted):
        return False
    if isinstance(requested, Mapping) and isinstance(granted, Mapping):
        return requested.keys() == granted.keys() and all(
            value == granted[name] or _is_lower(value, granted[name])
            for name, value in requested.items()
        )
    if isinstance(requested, list) and isinstance(granted, list):
        return len(granted) < len(requested) and all(item in requested for item in granted)
    if isinstance(requested, str) and isinstance(granted, str):
        return datetime.fromisoformat(granted) < datetime.fromisoformat(requested)
    return (requested is False and granted is True) or _is_lower(requested, granted)


def _is_lower(requested: object, granted: object) -> bool:
    return type(requested) is int and type(granted) is int and 0 <= granted < requested
