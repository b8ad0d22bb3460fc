"""Uses: short strings that say what a token was for. They are the keys of an agent's history.

Owns: the string of each kind of use, JSON pointers, and finding amounts and values in details.
Never: storing them (`UseRows`).
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias, TypeGuard

from server.protocol.json_text import JsonValue, pointer_to
from server.protocol.policy import schemas
from server.protocol.policy.schemas import Schema

SCALARS: Final = frozenset({"string", "integer", "boolean", "null"})

Path: TypeAlias = tuple[str, ...]

_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)+")


class InvalidActionType(ValueError):
    """A file is not a valid action type. `pointer` says where, `remedy` what to change."""

    def __init__(self, pointer: str, remedy: str) -> None:
        super().__init__(f"{pointer or 'the document'}: {remedy}")
        self.pointer = pointer
        self.remedy = remedy


def read_path(value: JsonValue, pointer: str, schema: Schema) -> Path:
    """Parse a JSON pointer into the details and check it against the schema.

    `pointer` is the location of the value in the file, for the error. Raises InvalidActionType.
    """
    if not isinstance(value, str) or not _POINTER.fullmatch(value):
        raise InvalidActionType(pointer, "must be a JSON pointer such as /items/*/amount")
    path = as_path(value)
    if not schemas.at_path(schema, path):
        raise InvalidActionType(pointer, f"{value} is not in the schema")
    if any(is_money(parent) for parent in schemas.at_path(schema, path[:-1])):
        raise InvalidActionType(pointer, "must point to the whole money object, not its members")
    return path


def as_pointer(path: Path) -> str:
    """Return the JSON pointer of a path."""
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path)


def as_path(pointer: str) -> Path:
    """Return the path of a JSON pointer."""
    steps = pointer.removeprefix("/").split("/")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)


def is_money(value_schema: Schema) -> bool:
    """Return whether the values of this schema are money."""
    properties = value_schema.get("properties")
    is_object = schemas.allowed_types(value_schema) - {"null"} == {"object"}
    return is_object and isinstance(properties, dict) and properties.keys() == schemas.MONEY_MEMBERS


def has_money_members(value: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a value has exactly the members of money."""
    return isinstance(value, dict) and value.keys() == schemas.MONEY_MEMBERS


def is_integer(value: object) -> TypeGuard[int]:
    """Return whether a value is an integer in JSON, where true is not a number."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_list_of_texts(schema: Schema, value_schema: Schema) -> bool:
    """Return whether the values of this schema are lists of strings."""
    items = schemas.inner_schemas(schema, value_schema, schemas.ANY_ITEM)
    is_list = schemas.allowed_types(value_schema) - {"null"} == {"array"}
    return is_list and all(schemas.allowed_types(item) == {"string"} for item in items)


def is_always_present(schema: Schema, path: Path) -> bool:
    """Return whether valid details always have exactly one non-null value at this path."""
    schemas_here = schemas.at_path(schema, ())
    for part in path:
        if not all(_requires(parent, part) for parent in schemas_here):
            return False
        schemas_here = [
            inner
            for parent in schemas_here
            for inner in schemas.inner_schemas(schema, parent, part)
        ]
    return all("null" not in schemas.allowed_types(parent) for parent in schemas_here)


def _requires(parent: Schema, part: str) -> bool:
    types = schemas.allowed_types(parent)
    if types == {"object"}:
        required = parent.get("required")
        return isinstance(required, list) and part in required
    min_items = parent.get("minItems", 0)
    is_item = types == {"array"} and part.isdecimal()
    return is_item and isinstance(min_items, int) and int(part) < min_items


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units."""

    minor: int
    currency: str


_CURRENCY: Final = re.compile(r"[A-Z]{3}")
ANY_TOKEN: Final = "token"  # noqa: S105  # not a secret
MAX_VALUES: Final = 32
"""The maximum number of values stored per token; further values are always treated as new."""


def of_resource(uri: str) -> str:
    """Return the use of a resource."""
    return f"resource {uri}"


def of_scope(uri: str, scope: str) -> str:
    """Return the use of a scope at a resource."""
    return f"scope {uri} {scope}"


def of_type(action_type: str) -> str:
    """Return the use of an action type."""
    return f"type {action_type}"


def of_token(
    resource: str, scopes: Sequence[str], details: Sequence[Mapping[str, JsonValue]]
) -> tuple[str, ...]:
    """Return all uses of a token, without duplicates."""
    token_uses = [ANY_TOKEN, of_resource(resource), *(of_scope(resource, name) for name in scopes)]
    if details:
        token_uses += [of_type(str(detail["type"])) for detail in details]
        token_uses += [*_values(leaves(details))][:MAX_VALUES]
    return tuple(dict.fromkeys(token_uses))


Leaf: TypeAlias = tuple[str, str, JsonValue | Money]
"""The type of a detail, the JSON pointer of a value (with `*` for indexes), and the value."""


def leaves(details: Sequence[Mapping[str, JsonValue]]) -> list[Leaf]:
    """Return all leaves of the details; money is one leaf."""
    return [
        (str(detail["type"]), pointer, leaf)
        for detail in details
        for pointer, leaf in _leaves(detail, "")
    ]


def money(details: Sequence[Mapping[str, JsonValue]]) -> dict[str, int]:
    """Return the sum of the absolute amounts in the details by currency, in minor units."""
    return sum_money(leaves(details))


def sum_money(found_leaves: Iterable[Leaf]) -> dict[str, int]:
    """Return the sum of the absolute amounts in these leaves by currency, in minor units."""
    sums: dict[str, int] = {}
    for _, _, leaf in found_leaves:
        if isinstance(leaf, Money):
            sums[leaf.currency] = sums.get(leaf.currency, 0) + abs(leaf.minor)
    return sums


def is_currency(text: str) -> bool:
    """Return whether this is a currency code that rules can name, such as EUR."""
    return _CURRENCY.fullmatch(text) is not None


def has_invalid_currency(detail: Mapping[str, JsonValue]) -> bool:
    """Return whether the details have money in a currency that rules cannot name."""
    amounts = (leaf for _, leaf in _leaves(detail, ""))
    return any(isinstance(amount, Money) and not is_currency(amount.currency) for amount in amounts)


def uses_at(found_leaves: Iterable[Leaf], pointer: str) -> tuple[str, ...]:
    """Return the uses of the values at this pointer."""
    return tuple(_values(leaf for leaf in found_leaves if leaf[1] == pointer))


def has_value_in_each(details: Sequence[Mapping[str, JsonValue]], pointer: str) -> bool:
    """Return whether all details, and all list items, have a string or number at this pointer."""
    path = as_path(pointer)
    return bool(details) and all(_has(detail, path) for detail in details)


def _has(value: JsonValue | Mapping[str, JsonValue], path: Sequence[str]) -> bool:
    if not path:
        return isinstance(value, (str, int))
    if isinstance(value, list):
        return path[0] == "*" and bool(value) and all(_has(item, path[1:]) for item in value)
    return isinstance(value, Mapping) and path[0] in value and _has(value[path[0]], path[1:])


def _values(found_leaves: Iterable[Leaf]) -> Iterator[str]:
    for action_type, pointer, leaf in found_leaves:
        if pointer != "/type" and isinstance(leaf, (str, int)):
            yield _of_value(action_type, pointer, leaf)


@lru_cache(maxsize=4_096, typed=True)
def _of_value(action_type: str, pointer: str, value: str | int) -> str:
    """Return the use of a value. Cached, because agents repeat the same payees and accounts."""
    text = f"{action_type}\n{pointer}\n{type(value).__name__}\n{value}"
    return f"value {hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _leaves(
    value: JsonValue | Mapping[str, JsonValue], at: str
) -> Iterator[tuple[str, JsonValue | Money]]:
    """Return all leaves with their pointers; money is one leaf."""
    if isinstance(value, (str, int)):
        yield at, value
    elif (amount := read_money(value)) is not None:
        yield at, amount
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, pointer_to(at, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, f"{at}/*")
    else:
        yield at, value


def read_money(value: object) -> Money | None:
    """Return the value as Money; None if it is not money."""
    if not isinstance(value, Mapping) or value.keys() != schemas.MONEY_MEMBERS:
        return None
    minor, currency = value["minor"], value["currency"]
    if isinstance(minor, bool) or not isinstance(minor, int) or not isinstance(currency, str):
        return None
    return Money(minor, currency)
