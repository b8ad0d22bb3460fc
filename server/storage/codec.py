"""Converts members to columns and back. Lists and maps are stored as JSON text."""

import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import ColumnElement
from sqlalchemy.engine import Row

from server.protocol.policy.risks import Risk
from server.services.members import Kind, Members


def dump(value: object) -> str:
    """Return compact JSON text with sorted members."""
    return json.dumps(
        value, separators=(",", ":"), sort_keys=True, ensure_ascii=False, default=_to_map
    )


def _to_map(value: Any) -> dict[str, object]:  # noqa: ANN401  # what JSON has no type for
    return dict(value) if isinstance(value, Mapping) else asdict(value)


def load_tuple(text: str) -> tuple[Any, ...]:
    """Load a list."""
    return tuple(json.loads(text))


def load_map(text: str) -> dict[str, Any]:
    """Load a map."""
    return dict(json.loads(text))


def key(name: str) -> str:
    """Normalize a name for comparison: ignore case and compose accents."""
    return unicodedata.normalize("NFC", name).casefold()


def contains(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Return the condition that a column of keys contains the text, ignoring case."""
    return column.contains(key(text), autoescape=True)


def _load_risks(text: str) -> dict[str, Risk]:
    return {name: Risk(word) for name, word in json.loads(text).items()}


def _load_lists(text: str) -> dict[str, tuple[str, ...]]:
    return {name: tuple(items) for name, items in json.loads(text).items()}


_LOAD: Final[Mapping[Kind, Callable[[str], object]]] = {
    **dict.fromkeys((Kind.CHOICES, Kind.NAMES, Kind.PEOPLE, Kind.KEYS), load_tuple),
    Kind.LISTS: _load_lists,
    Kind.RISKS: _load_risks,
    Kind.NEEDS: load_map,
}
"""The kinds that are stored as JSON. Values of other kinds are stored unchanged."""


def member_values(members: Members, record: object) -> dict[str, object]:
    """Return the column values of a record's members."""
    return {
        member.name: _dump_member(member.kind, getattr(record, member.name))
        for member in members
        if member.has_column
    }


def _dump_member(kind: Kind, value: object) -> object:
    return dump(value) if kind in _LOAD and value is not None else value


def load_members(members: Members, row: Row[Any]) -> dict[str, Any]:
    """Return the members of a record from its row."""
    return {
        member.name: _load_member(member.kind, getattr(row, member.name))
        for member in members
        if member.has_column
    }


def _load_member(kind: Kind, value: Any) -> object:  # noqa: ANN401  # the column's type
    load = _LOAD.get(kind)
    return value if value is None or load is None else load(value)
