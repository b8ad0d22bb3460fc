"""Rendering details for people: the headline and the facts.

Owns: how values are formatted. Never: layout, risk, or an agent's own prose.

The type of a value determines its format, so that a fact looks the same everywhere:

    {"minor": 482000, "currency": "EUR"}   EUR 4,820.00
    2026-11-25T15:30:00+01:00              2026-11-25 14:30 UTC
    1204                                   1,204  (use a string for numbers that are not quantities)
    true, false, null, [], {}, ""          yes, no, none, none, none, empty
    ["a.example", "b.example"]             a.example, b.example     (only in a headline)
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias, cast

from server.protocol import json_text
from server.protocol.json_text import JsonValue, value_at
from server.protocol.policy import schemas
from server.protocol.policy.action_types import MAX_HEADLINE, ActionType, Filter, Placeholder
from server.protocol.policy.uses import Path, read_money
from server.protocol.text import SafeText, display_safe

MAX_MATERIAL_VALUE: Final = 4_000
"""The maximum length of a material fact; longer ones are refused, not truncated."""

MAX_VALUE: Final = 280
"""The maximum length of other facts; the action text has the full value."""

Trail: TypeAlias = tuple[str | int, ...]
Leaf: TypeAlias = tuple[Trail, JsonValue]

_MAX_VALUE_IN_HEADLINE = 120
_MAX_LISTED = 3
_MIN_CUT_CHARACTERS = 12
_NUMBER = re.compile(r"\d(?:[.,]?\d)*")
_MAX_LABEL = 200
_CURRENCY = re.compile(r"[A-Z]{3}")
# RFC 3339 5.6 without fractions of a second: a time with a fraction is shown unchanged.
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# ISO 4217: the currencies that do not have two decimal places.
_CURRENCIES_BY_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_DIGITS = {
    currency: digits
    for digits, currencies in _CURRENCIES_BY_DIGITS.items()
    for currency in currencies.split()
}


@dataclass(slots=True)
class _Piece:
    """A part of a headline that is being rendered."""

    text: str
    may_be_cut: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a request. An approver must see the material facts before approving."""

    label: SafeText
    value: SafeText
    material: bool


def render_headline(
    action: ActionType, details: Mapping[str, JsonValue], *, room: int = MAX_HEADLINE
) -> SafeText:
    """Fill the headline with the values of valid details.

    A missing value is shown as `none`. If the headline exceeds `room` characters, its longest
    strings are truncated with an ellipsis; the facts have them in full. Amounts, counts, dates and
    numbers within a string are never truncated, so the result may still be too long.
    """
    pieces = [
        _Piece(piece) if isinstance(piece, str) else _fill(piece, details)
        for piece in action.headline
    ]
    for piece in sorted(pieces, key=lambda piece: -len(piece.text)):
        excess = sum(len(headline_piece.text) for headline_piece in pieces) - room
        if piece.may_be_cut and excess > 0:
            piece.text = _cut(piece.text, max(_MIN_CUT_CHARACTERS, len(piece.text) - excess - 1))
    headline = "".join(piece.text for piece in pieces)
    return display_safe(headline, max_chars=len(headline))


def facts(action: ActionType, details: Mapping[str, JsonValue]) -> tuple[Fact, ...]:
    """List every leaf of valid details, including `type`.

    Material facts come first, in the order of `action.material`, then the others in their original
    order. Without a template, all facts are material and sorted.
    """
    all_leaves = list(leaves(details))
    if action.has_template:
        all_leaves.sort(key=lambda leaf: _rank(action, leaf[0]))
    else:
        all_leaves.sort(key=lambda leaf: _sort_key(leaf[0]))
    return tuple(_fact(action, trail, value) for trail, value in all_leaves)


def labeled_values(
    action: ActionType, details: Mapping[str, JsonValue], path: Path
) -> list[tuple[SafeText, JsonValue]]:
    """Return the values at a path with their labels; money is one value."""
    return [(label_of(action, trail), value) for trail, value in values_at(details, path)]


def is_time(value: str) -> bool:
    """Return whether a string is rendered as a time."""
    return _parse_time(value) is not None


def render(value: JsonValue, *, max_chars: int = MAX_VALUE) -> SafeText:
    """Render one value as in a fact."""
    return display_safe(_show(value), max_chars=max_chars)


def label_of(action: ActionType, trail: Trail) -> SafeText:
    """Return the registered label of a value, or one from its member names and item numbers."""
    return display_safe(_label(action, trail), max_chars=_MAX_LABEL)


def render_whole(value: JsonValue) -> SafeText:
    """Render a value with all its parts in one line."""
    text = ", ".join(_show(leaf) for _trail, leaf in leaves(value))
    return display_safe(text, max_chars=MAX_VALUE)


def _fact(action: ActionType, trail: Trail, value: JsonValue) -> Fact:
    material = not action.has_template or _rank(action, trail) < len(action.material)
    label = label_of(action, trail)
    max_chars = MAX_MATERIAL_VALUE if material else MAX_VALUE
    return Fact(label, display_safe(_show(value), max_chars=max_chars), material)


def _fill(placeholder: Placeholder, details: Mapping[str, JsonValue]) -> _Piece:
    value = value_at(details, placeholder.path)
    if placeholder.units is not None:
        return _Piece(_show_count(value, placeholder.units))
    text = display_safe(_show(value, placeholder.filter), max_chars=_MAX_VALUE_IN_HEADLINE)
    is_prose = isinstance(value, str) and _parse_time(value) is None
    is_list = isinstance(value, list) and placeholder.filter is None
    return _Piece(text, may_be_cut=is_prose or is_list)


def _cut(text: str, max_chars: int) -> str:
    """Truncate a string, but never within a number. One that begins with a long number is kept."""
    if len(text) <= max_chars:
        return text
    end = next((m.start() for m in _NUMBER.finditer(text) if m.start() < max_chars < m.end()), None)
    shortened = text[: max_chars if end is None else end].rstrip()
    return f"{shortened}…" if shortened else text


def _show_count(value: JsonValue, units: tuple[str, str]) -> str:
    count = len(value) if isinstance(value, list) else value
    number = f"{count:,}" if isinstance(count, int) else "no"
    return f"{number} {units[0] if count == 1 else units[1]}"


def values_at(
    value: JsonValue | Mapping[str, JsonValue], path: Path, trail: Trail = ()
) -> Iterator[Leaf]:
    """Return the values at a path with their trails."""
    if not path:
        if not value or not isinstance(value, (Mapping, list)) or read_money(value):
            yield trail, cast("JsonValue", value)
    elif isinstance(value, Mapping):
        if path[0] in value:
            yield from values_at(value[path[0]], path[1:], (*trail, path[0]))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if path[0] in {schemas.ANY_ITEM, str(index)}:
                yield from values_at(item, path[1:], (*trail, index))


def leaves(value: JsonValue | Mapping[str, JsonValue], trail: Trail = ()) -> Iterator[Leaf]:
    """Return all values with their trails; money is one value."""
    if isinstance(value, Mapping) and value and not read_money(value):
        for name, member in value.items():
            yield from leaves(member, (*trail, name))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*trail, index))
    else:
        yield trail, cast("JsonValue", value)


def _rank(action: ActionType, trail: Trail) -> int:
    """Return the index among the material facts, or the index after them.

    A parent of a material path counts too, because it may be an empty list or null.
    """
    ranks = (rank for rank, path in enumerate(action.material) if _matches(path, trail))
    return next(ranks, len(action.material))


def _sort_key(trail: Trail) -> list[tuple[int, str]]:
    """Return the sort key of a trail: members by name, items by index."""
    return [(step, "") if isinstance(step, int) else (0, step) for step in trail]


def _matches(path: Path, trail: Trail) -> bool:
    return all(
        part == str(step) or (part == schemas.ANY_ITEM and isinstance(step, int))
        for part, step in zip(path, trail, strict=False)
    )


def _label(action: ActionType, trail: Trail) -> str:
    """Return the label of a leaf: its nearest label, item numbers, and member names below it."""
    for length in range(len(trail), 0, -1):
        for path, label in action.labels.items():
            if len(path) == length and _matches(path, trail):
                numbers = (step for step in trail[:length] if isinstance(step, int))
                return " ".join([label, *map(_to_words, numbers), *map(_to_words, trail[length:])])
    return " ".join(map(_to_words, trail))


def _to_words(step: str | int) -> str:
    """Render `creditor_name` and `creditorName` as `Creditor name`, and index 0 as `1`."""
    if isinstance(step, int):
        return str(step + 1)
    words = _WORD_START.sub(" ", re.sub(r"[_-]+", " ", step)).split(" ")
    text = " ".join(word.lower() if word.istitle() else word for word in words)
    return text[:1].upper() + text[1:]


def _show(value: JsonValue, format_filter: Filter | None = None) -> str:
    if format_filter == "count" and isinstance(value, list):
        return f"{len(value):,}"
    if value is None or value in ([], {}):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value) if format_filter == "text" else f"{value:,}"
    return _show_text(value, format_filter) if isinstance(value, str) else _show_whole(value)


def _show_whole(value: JsonValue) -> str:
    """Render a list, an object or money as one string."""
    if isinstance(value, list):
        return _list_items([str(item) for item in value])
    return _show_money(value) if read_money(value) else json_text.canonical(value)


def _list_items(items: Sequence[str]) -> str:
    """Return the first items and the number of further items."""
    first = ", ".join(items[:_MAX_LISTED])
    more = len(items) - _MAX_LISTED
    return first if more <= 0 else f"{first} and {more:,} more"


def _show_text(value: str, format_filter: Filter | None) -> str:
    moment = None if format_filter == "text" else _parse_time(value)
    if moment is not None:
        return moment.strftime("%Y-%m-%d %H:%M:%S" if moment.second else "%Y-%m-%d %H:%M") + " UTC"
    return value or "empty"


def _parse_time(value: str) -> datetime | None:
    if not _TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def minor_digits(currency: str) -> int:
    """Return the number of decimal places of a currency."""
    return _DIGITS.get(currency, 2)


def _show_money(money: Any) -> str:  # noqa: ANN401  # read_money has checked it
    minor, currency = money["minor"], money["currency"]
    if not _CURRENCY.fullmatch(currency):
        return f"{minor:,} minor units of {currency or 'no currency'}"
    digits = minor_digits(currency)
    units, minor_units = divmod(abs(minor), 10**digits)
    fraction = f".{minor_units:0{digits}}" if digits else ""
    return f"{currency} {'-' if minor < 0 else ''}{units:,}{fraction}"
