"""What a token was for, as short texts by which history is looked up.

Owns: the text of each kind of use, and reading details for amounts and values.
Never: rows; those are `UseRows`.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.protocol.json_text import JsonValue, pointer_to
from server.protocol.pointers import MONEY_MEMBERS


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units."""

    minor: int
    currency: str


ANYTHING: Final = "token"
MOST_VALUES: Final = 32
"""Values of one token that are remembered; one beyond it counts as never seen, which asks."""


def of_resource(uri: str) -> str:
    """A token at this resource."""
    return f"resource {uri}"


def of_scope(uri: str, scope: str) -> str:
    """A token with this scope there."""
    return f"scope {uri} {scope}"


def of_type(action_type: str) -> str:
    """A token for an action of this type."""
    return f"type {action_type}"


def of_token(
    resource: str, scopes: Sequence[str], details: Sequence[Mapping[str, JsonValue]]
) -> tuple[str, ...]:
    """Everything that one token was for, each once."""
    found = [ANYTHING, of_resource(resource), *(of_scope(resource, name) for name in scopes)]
    if details:
        found += [of_type(str(detail["type"])) for detail in details]
        found += [one for many in values(details).values() for one in many][:MOST_VALUES]
    return tuple(dict.fromkeys(found))


def money(details: Sequence[Mapping[str, JsonValue]]) -> dict[str, int]:
    """Currency → the sum of all amounts of the details, in minor units, signs left out."""
    sums: dict[str, int] = {}
    for detail in details:
        for _, leaf in _leaves(detail, ""):
            if isinstance(leaf, Money):
                sums[leaf.currency] = sums.get(leaf.currency, 0) + abs(leaf.minor)
    return sums


def values(details: Sequence[Mapping[str, JsonValue]]) -> dict[str, tuple[str, ...]]:
    """JSON pointer, `*` for every index → the uses that the values there are."""
    found: dict[str, tuple[str, ...]] = {}
    for detail in details:
        for pointer, leaf in _leaves(detail, ""):
            if pointer != "/type" and isinstance(leaf, (str, int)):
                use = _of_value(str(detail["type"]), pointer, leaf)
                found[pointer] = (*found.get(pointer, ()), use)
    return found


def _of_value(action_type: str, pointer: str, value: str | int) -> str:
    text = f"{action_type}\n{pointer}\n{type(value).__name__}\n{value}"
    return f"value {hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _leaves(
    value: JsonValue | Mapping[str, JsonValue], at: str
) -> Iterator[tuple[str, JsonValue | Money]]:
    """Every value that holds no other, and money as a whole."""
    if (amount := _amount(value)) is not None:
        yield at, amount
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, pointer_to(at, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, f"{at}/*")
    else:
        yield at, value


def _amount(value: JsonValue | Mapping[str, JsonValue]) -> Money | None:
    if not isinstance(value, Mapping) or value.keys() != MONEY_MEMBERS:
        return None
    minor, currency = value["minor"], value["currency"]
    if isinstance(minor, bool) or not isinstance(minor, int) or not isinstance(currency, str):
        return None
    return Money(minor, currency)
