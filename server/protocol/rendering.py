"""An agent's details in a person's words: the headline and every single fact.

Owns: how values are written. Never: layout, risk, or anything that the agent says in prose.

A value is recognised by its own form, so that a fact reads the same wherever it stands:

    {"minor": 482000, "currency": "EUR"}   EUR 4,820.00
    2026-11-25T15:30:00+01:00              2026-11-25 14:30 UTC
    1204                                   1,204       (what is not a quantity is a text)
    true, false, null, [], {}, ""          yes, no, none, none, none, empty
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias, cast

from server.protocol import json_text, schemas
from server.protocol.actions import MONEY_MEMBERS, ActionType, Filter, Path, Placeholder
from server.protocol.json_text import JsonValue
from server.protocol.text import SafeText, display_safe

MAX_MATERIAL_VALUE: Final = 4_000
"""Characters of a material fact; it is never cut before that."""

MAX_VALUE: Final = 280
"""Characters of any other fact; what is cut off is counted and stands in the action text."""

Trail: TypeAlias = tuple[str | int, ...]
Leaf: TypeAlias = tuple[Trail, JsonValue]

_MAX_VALUE_IN_HEADLINE = 120
_MAX_LABEL = 200
_CURRENCY = re.compile(r"[A-Z]{3}")
# RFC 3339 5.6 without fractions of a second: a time that has some is shown as it came.
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# ISO 4217: the currencies that do not have two digits after the point.
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


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of what is asked for. A material one must have been seen before approving."""

    label: SafeText
    value: SafeText
    material: bool


def render_headline(action: ActionType, details: Mapping[str, JsonValue]) -> SafeText:
    """Fill the headline with the values of details that the schema has accepted.

    A value that is not there reads `none`. Amounts are never cut, long texts visibly are.
    """
    pieces = (
        piece if isinstance(piece, str) else _fill(piece, details) for piece in action.headline
    )
    headline = "".join(pieces)
    return display_safe(headline, max_chars=len(headline))


def facts(action: ActionType, details: Mapping[str, JsonValue]) -> tuple[Fact, ...]:
    """List every leaf of details that the schema has accepted, `type` too.

    The material ones come first, in the order of `action.material`, then the others as they stand.
    """
    leaves = sorted(_leaves(details, ()), key=lambda leaf: _rank(action, leaf[0]))
    return tuple(_fact(action, trail, value) for trail, value in leaves)


def _fact(action: ActionType, trail: Trail, value: JsonValue) -> Fact:
    material = _rank(action, trail) < len(action.material)
    label = display_safe(_label(action, trail), max_chars=_MAX_LABEL)
    max_chars = MAX_MATERIAL_VALUE if material else MAX_VALUE
    return Fact(label, display_safe(_show(value), max_chars=max_chars), material)


def _fill(placeholder: Placeholder, details: Mapping[str, JsonValue]) -> str:
    shown = _show(_at(details, placeholder.path), placeholder.filter)
    return display_safe(shown, max_chars=_MAX_VALUE_IN_HEADLINE)


def _at(details: Mapping[str, JsonValue], path: Path) -> JsonValue:
    found: JsonValue = {**details}
    for part in path:
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return found


def _leaves(value: JsonValue | Mapping[str, JsonValue], trail: Trail) -> Iterator[Leaf]:
    if isinstance(value, Mapping) and value and not _is_money(value):
        for name, member in value.items():
            yield from _leaves(member, (*trail, name))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(item, (*trail, index))
    else:
        yield trail, cast("JsonValue", value)


def _rank(action: ActionType, trail: Trail) -> int:
    """Position among the material facts, or behind them.

    What stands above a material place counts too: an empty list hides its items, null its members.
    """
    ranks = (rank for rank, path in enumerate(action.material) if _meet(path, trail))
    return next(ranks, len(action.material))


def _meet(path: Path, trail: Trail) -> bool:
    return all(
        part == str(step) or (part == schemas.ANY_ITEM and isinstance(step, int))
        for part, step in zip(path, trail, strict=False)
    )


def _label(action: ActionType, trail: Trail) -> str:
    """Name a leaf by its nearest label, the numbers of the items, and the members below that."""
    for length in range(len(trail), 0, -1):
        for path, label in action.labels.items():
            if len(path) == length and _meet(path, trail):
                numbers = (step for step in trail[:length] if isinstance(step, int))
                return " ".join([label, *map(_words, numbers), *map(_words, trail[length:])])
    return " ".join(map(_words, trail))


def _words(step: str | int) -> str:
    """Write `creditor_name` and `creditorName` as `Creditor name`, and index 0 as `1`."""
    if isinstance(step, int):
        return str(step + 1)
    words = _WORD_START.sub(" ", re.sub(r"[_-]+", " ", step)).split(" ")
    text = " ".join(word.lower() if word.istitle() else word for word in words)
    return text[:1].upper() + text[1:]


def _show(value: JsonValue, wanted: Filter | None = None) -> str:
    if wanted == "count" and isinstance(value, list):
        return f"{len(value):,}"
    if value is None or value in ([], {}):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value) if wanted == "text" else f"{value:,}"
    if isinstance(value, str):
        return _show_text(value, wanted)
    return _show_money(value) if _is_money(value) else json_text.canonical(value)


def _show_text(value: str, wanted: Filter | None) -> str:
    if wanted != "text" and _TIME.fullmatch(value):
        try:
            moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            return value
        return moment.strftime("%Y-%m-%d %H:%M:%S" if moment.second else "%Y-%m-%d %H:%M") + " UTC"
    return value or "empty"


def _is_money(value: object) -> bool:
    if not isinstance(value, Mapping) or value.keys() != MONEY_MEMBERS:
        return False
    minor = value["minor"]
    whole = isinstance(minor, int) and not isinstance(minor, bool)
    return whole and isinstance(value["currency"], str)


def _show_money(money: Any) -> str:  # noqa: ANN401  # _is_money has looked at it
    minor, currency = money["minor"], money["currency"]
    if not _CURRENCY.fullmatch(currency):
        return f"{minor:,} minor units of {currency or 'no currency'}"
    digits = _DIGITS.get(currency, 2)
    whole, rest = divmod(abs(minor), 10**digits)
    fraction = f".{rest:0{digits}}" if digits else ""
    return f"{currency} {'-' if minor < 0 else ''}{whole:,}{fraction}"
