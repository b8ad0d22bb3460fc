"""JSON pointers into the schema of an action type.

Owns: pointers with `*` for every index (RFC 6901), the kind of value at a pointer, and the error
that names a place in the file. Never: what a pointer is used for.
"""

import re
from typing import Final, TypeAlias

from server.protocol.json_text import JsonValue
from server.protocol.policy import schemas
from server.protocol.policy.schemas import Schema

MONEY_MEMBERS: Final = frozenset({"minor", "currency"})
SCALARS: Final = frozenset({"string", "integer", "boolean", "null"})

Path: TypeAlias = tuple[str, ...]

_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)+")


class InvalidActionType(ValueError):
    """A file is not a valid action type: `pointer` says where, `remedy` what to change."""

    def __init__(self, pointer: str, remedy: str) -> None:
        super().__init__(f"{pointer or 'the document'}: {remedy}")
        self.pointer = pointer
        self.remedy = remedy


def read_path(value: JsonValue, pointer: str, schema: Schema) -> Path:
    """Parse a JSON pointer into the details and check it against the schema.

    `pointer` is its own place in the file, for the error. Raises InvalidActionType.
    """
    if not isinstance(value, str) or not _POINTER.fullmatch(value):
        raise InvalidActionType(pointer, "must be a JSON pointer such as /items/*/amount")
    path = as_path(value)
    if not schemas.places(schema, path):
        raise InvalidActionType(pointer, f"{value} is not in the schema")
    if any(is_money(place) for place in schemas.places(schema, path[:-1])):
        raise InvalidActionType(pointer, "name the money as a whole, not its members")
    return path


def as_pointer(path: Path) -> str:
    """The JSON pointer of a path."""
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path)


def as_path(pointer: str) -> Path:
    """The path of a JSON pointer."""
    steps = pointer.removeprefix("/").split("/")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)


def is_money(place: Schema) -> bool:
    """Return whether the values here are money."""
    properties = place.get("properties")
    is_object = schemas.allowed_types(place) - {"null"} == {"object"}
    return is_object and isinstance(properties, dict) and properties.keys() == MONEY_MEMBERS


def is_list_of_texts(schema: Schema, place: Schema) -> bool:
    """Return whether the values here are lists of texts only."""
    items = schemas.inner_schemas(schema, place, schemas.ANY_ITEM)
    is_list = schemas.allowed_types(place) - {"null"} == {"array"}
    return is_list and all(schemas.allowed_types(item) == {"string"} for item in items)


def is_always_present(schema: Schema, path: Path) -> bool:
    """Return whether valid details always have one value at this path that is not null."""
    found = schemas.places(schema, ())
    for part in path:
        if not all(_requires(place, part) for place in found):
            return False
        found = [inner for place in found for inner in schemas.inner_schemas(schema, place, part)]
    return all("null" not in schemas.allowed_types(place) for place in found)


def _requires(place: Schema, part: str) -> bool:
    admitted = schemas.allowed_types(place)
    if admitted == {"object"}:
        required = place.get("required")
        return isinstance(required, list) and part in required
    least = place.get("minItems", 0)
    is_item = admitted == {"array"} and part.isdecimal()
    return is_item and isinstance(least, int) and int(part) < least
