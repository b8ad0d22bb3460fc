"""Strictly parses untrusted JSON.

Owns: parsing text, and reading members of an object, one by one or into a dataclass, with an error
that names the member. Never: what the members mean, which `wire.py` knows.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache, partial
from types import NoneType
from typing import Annotated, Any, Self, TypeVar, get_args, get_origin, get_type_hints

from approver_tui.client.errors import WireError
from approver_tui.state.text import SafeText, TextLimit, display_safe

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_Choice = TypeVar("_Choice", bound=StrEnum)
_Value = TypeVar("_Value")
_Reader = Callable[["JsonObject", str], object]
TIMES = ("at", "since", "time", "until")
"""An integer member is a time if its name, or the last word of its name, is one of these."""


@dataclass(frozen=True, slots=True)
class JsonObject:
    """The members of one JSON object, and its path in the document."""

    values: Mapping[str, object]
    path: str = ""

    @classmethod
    def parse(cls, text: str | bytes, path: str = "") -> Self:
        """Return the members of a JSON text that must be an object. Raises WireError."""
        return cls(_as_object(parse_json(text, path), path or "body"), path)

    def text(self, name: str) -> str:
        """Return a string unchanged."""
        value = self._value(name)
        if not isinstance(value, str):
            raise WireError(self.path_of(name), "is not a string")
        return value

    def safe(self, name: str, *, max_len: int = 200, max_lines: int = 1) -> SafeText:
        """Return a string made safe to draw."""
        return display_safe(self.text(name), max_len=max_len, max_lines=max_lines)

    def safe_or_none(self, name: str, *, max_len: int = 200, max_lines: int = 1) -> SafeText | None:
        """Return a string made safe to draw, or None if it is null or missing."""
        if self.values.get(name) is None:
            return None
        return self.safe(name, max_len=max_len, max_lines=max_lines)

    def optional(self, name: str, read: Callable[["JsonObject", str], _Value]) -> _Value | None:
        """Return a member parsed by `read`, or None if it is null or missing."""
        return None if self.values.get(name) is None else read(self, name)

    def is_null(self, name: str) -> bool:
        """Return whether a required member is null."""
        return self._value(name) is None

    def integer(self, name: str) -> int:
        """Return a whole number."""
        value = self._value(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise WireError(self.path_of(name), "is not a whole number")
        return value

    def boolean(self, name: str) -> bool:
        """Return true or false."""
        value = self._value(name)
        if not isinstance(value, bool):
            raise WireError(self.path_of(name), "is neither true nor false")
        return value

    def choice(self, name: str, choices: type[_Choice]) -> _Choice:
        """Return one of the choices."""
        value = self.text(name)
        try:
            return choices(value)
        except ValueError:
            raise WireError(self.path_of(name), f"is not one of {', '.join(choices)}") from None

    def time(self, name: str) -> int:
        """Return an RFC 3339 time in milliseconds since the epoch."""
        try:
            moment = datetime.fromisoformat(self.text(name))
        except ValueError:
            raise WireError(self.path_of(name), "is not a time") from None
        if moment.tzinfo is None:
            raise WireError(self.path_of(name), "has no time zone")
        return (moment - _EPOCH) // _MILLISECOND

    def child(self, name: str) -> "JsonObject":
        """Return an object inside this one."""
        return JsonObject(_as_object(self._value(name), self.path_of(name)), self.path_of(name))

    def read_child(self, name: str, read: Callable[["JsonObject"], _Value]) -> _Value | None:
        """Return an object inside this one, parsed by `read`; None if it is null or missing."""
        return self.optional(name, lambda members, name: read(members.child(name)))

    def children(self, name: str) -> tuple["JsonObject", ...]:
        """Return a list of objects."""
        values, path = self._list(name), self.path_of(name)
        paths = [f"{path}[{index}]" for index in range(len(values))]
        return tuple(
            JsonObject(_as_object(value, item_path), item_path)
            for value, item_path in zip(values, paths, strict=True)
        )

    def safe_texts(self, name: str, *, max_len: int = 200) -> tuple[SafeText, ...]:
        """Return a list of strings made safe to draw."""
        return tuple(display_safe(text, max_len=max_len) for text in self.texts(name))

    def id_and_name(self, name: str) -> dict[str, SafeText]:
        """Read a nested `{id, name}` object; return it as `<name>_id` and `<name>_name`."""
        inner = self.child(name)
        return {f"{name}_id": inner.safe("id"), f"{name}_name": inner.safe("name")}

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of strings."""
        values = self._list(name)
        if not all(isinstance(value, str) for value in values):
            raise WireError(self.path_of(name), "is not a list of strings")
        return tuple(str(value) for value in values)

    def path_of(self, name: str) -> str:
        """Return the path of the member in the document."""
        return f"{self.path}.{name}" if self.path else name

    def _list(self, name: str) -> list[object]:
        value = self._value(name)
        if not isinstance(value, list):
            raise WireError(self.path_of(name), "is not a list")
        return value

    def _value(self, name: str) -> object:
        if name not in self.values:
            raise WireError(self.path_of(name), "is missing")
        return self.values[name]


def parse_json(text: str | bytes, path: str = "") -> object:
    """Parse a JSON text. Duplicate members and NaN are rejected."""
    try:
        parsed: object = json.loads(
            text, object_pairs_hook=_reject_duplicates, parse_constant=_reject_constant
        )
    except (ValueError, RecursionError):
        raise WireError(path or "body", "is not valid JSON") from None
    return parsed


def read_as(kind: Callable[..., _Value], members: JsonObject, **values: object) -> _Value:
    """Build a `kind`. Fields not in `values` are read from the member with the same name.

    If a field may be None, its member can be null or missing. Raises WireError.
    """
    parsed = {name: read(members, name) for name, read in _readers(kind) if name not in values}
    return kind(**values, **parsed)


def read_name(members: JsonObject) -> SafeText:
    """Return the name in an object."""
    return members.safe("name")


def read_each(kind: Callable[..., _Value], members: JsonObject, name: str) -> tuple[_Value, ...]:
    """Return a list of objects as dataclasses."""
    return tuple(read_as(kind, child) for child in members.children(name))


@cache
def _readers(kind: Any) -> tuple[tuple[str, _Reader], ...]:  # noqa: ANN401  # any dataclass
    """Return a reader for each field of a dataclass."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple((field.name, _reader(field.name, hints[field.name])) for field in fields(kind))


def _reader(name: str, hint: Any) -> _Reader:  # noqa: ANN401  # a type, or a union of types
    kinds = [arg for arg in get_args(hint) if arg is not NoneType]
    if NoneType in get_args(hint):
        read = _reader(name, kinds[0])
        return lambda members, name: members.optional(name, read)
    if get_origin(hint) is Annotated:
        limit: TextLimit = hint.__metadata__[0]
        return partial(JsonObject.safe, max_len=limit.characters, max_lines=limit.lines)
    if get_origin(hint) is tuple:
        lists = {SafeText: JsonObject.safe_texts, str: JsonObject.texts}
        return lists.get(kinds[0]) or partial(read_each, kinds[0])
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda members, name: read_as(hint, members.child(name))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return lambda members, name: members.choice(name, hint)
    is_time = name.rpartition("_")[2] in TIMES
    number = JsonObject.time if is_time else JsonObject.integer
    scalars = {SafeText: JsonObject.safe, str: JsonObject.text, bool: JsonObject.boolean}
    return {**scalars, int: number}.get(hint, _unsupported_type)


def _unsupported_type(members: JsonObject, name: str) -> object:
    raise TypeError(f"{members.path_of(name)} has no reader for its type; pass it in `values`")


def _as_object(value: object, path: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise WireError(path, "is not an object")
    return value


def _reject_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Reject duplicate members, because another parser could use the one that was not shown."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _reject_constant(name: str) -> object:
    raise ValueError(name)
