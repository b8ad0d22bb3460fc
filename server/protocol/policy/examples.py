"""Example details of an action type.

Owns: building a value that a schema of `schemas.py` accepts. Never: randomness; a schema always has
the same example.
"""

from collections.abc import Mapping
from typing import Final, cast

from server.protocol.json_text import JsonValue
from server.protocol.policy import schemas
from server.protocol.policy.schemas import ANY_ITEM, Schema

MAX_VALUES: Final = 500
"""The maximum number of values; more are never shown to a person."""
_MAX_TEXT: Final = 4_000
_AMOUNT: Final = 482_000
_NUMBER: Final = 3
_MAX_INTEGER: Final = 2**53
"""The largest absolute value of an integer."""
_TIME: Final = "2027-01-31T14:30:00Z"
_TEXTS: Mapping[str, str] = {
    "currency": "EUR",
    "account": "DE02120300000000202051",
    "iban": "DE02120300000000202051",
    "email": "someone@example.com",
    "url": "https://example.com/page",
    "uri": "https://example.com/page",
    "path": "/data/report.csv",
    "host": "host.example.com",
    "domain": "example.com",
}
"""Example strings by member name. For other members, the name is the example."""
_TYPE_PREFERENCE: Final = ("object", "array", "string", "integer", "boolean", "null")


class TooManyValues(ValueError):
    """The schema has no example that is small enough for a person to read."""


def example(root: Schema) -> JsonValue:
    """Return an example of a checked schema, with all members. Raises TooManyValues."""
    return _ExampleBuilder(root).value(root, "")


class _ExampleBuilder:
    """Builds an example and counts its values."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._value_count = 0

    def value(self, schema: Schema, name: str) -> JsonValue:
        """Return an example of a complete schema for a member of this name."""
        self._value_count += 1
        if self._value_count > MAX_VALUES:
            raise TooManyValues(f"An example of it would have more than {MAX_VALUES} values.")
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return cast("list[JsonValue]", schema["enum"])[0]
        kind = min(schemas.allowed_types(schema), key=_TYPE_PREFERENCE.index)
        if kind in {"object", "array"}:
            return self._container(schema, name, kind)
        if kind == "string":
            return _text(schema, name)
        if kind == "integer":
            return _integer(schema, _AMOUNT if name == "minor" else _NUMBER)
        return True if kind == "boolean" else None

    def _container(self, schema: Schema, name: str, kind: str) -> JsonValue:
        if kind == "object":
            members = cast("Mapping[str, JsonValue]", schema.get("properties", {}))
            return {member: self._inner_value(schema, member, member) for member in members}
        min_count, max_count = _limit(schema, "minItems", 1), _limit(schema, "maxItems", MAX_VALUES)
        count = min(max_count, max(1, min_count), MAX_VALUES)
        return [self._inner_value(schema, ANY_ITEM, name) for _ in range(count)]

    def _inner_value(self, schema: Schema, part: str, name: str) -> JsonValue:
        """Return an example of a member or item, from its first alternative."""
        return self.value(schemas.inner_schemas(self._root, schema, part)[0], name)


def _text(schema: Schema, name: str) -> str:
    is_time = "3339" in str(schema.get("description", "")) or name.endswith(("_at", "until"))
    text = _TIME if is_time else _TEXTS.get(name, name.replace("_", " ") or "text")
    shortest = min(_limit(schema, "minLength", 0), _MAX_TEXT)
    longest = _limit(schema, "maxLength", _MAX_TEXT)
    return (text * (1 + shortest // len(text)) if len(text) < shortest else text)[:longest]


def _integer(schema: Schema, preferred: int) -> int:
    low = _limit(schema, "minimum", _limit(schema, "exclusiveMinimum", -_MAX_INTEGER) + 1)
    high = _limit(schema, "maximum", _limit(schema, "exclusiveMaximum", _MAX_INTEGER) - 1)
    step = _limit(schema, "multipleOf", 1)
    in_range = max(low, min(preferred, high))
    rounded_up = -(-in_range // step) * step
    return rounded_up if rounded_up <= high else in_range // step * step


def _limit(schema: Schema, name: str, default: int) -> int:
    value = schema.get(name, default)
    return value if isinstance(value, int) else default
