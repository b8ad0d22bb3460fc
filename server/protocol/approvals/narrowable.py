"""What of a request may be made less, place by place, before anybody wishes for it.

Owns: finding the places to which an action type's rules apply. Never: making anything less; that is
`narrowing.py`, which judges every wish whatever stands here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from server.protocol.approvals import narrowing
from server.protocol.json_text import JsonValue, pointer_to
from server.protocol.policy import rendering
from server.protocol.policy.action_types import ActionType
from server.protocol.policy.rendering import Trail
from server.protocol.policy.stakes import Narrowing
from server.protocol.text import SafeText


@dataclass(frozen=True, slots=True)
class NarrowableFact:
    """One fact that may be made less, as it was asked, and by which rule."""

    pointer: str
    """A JSON pointer into the details."""
    label: SafeText
    asked: SafeText
    rule: Narrowing
    items: tuple[SafeText, ...]
    """What a list has, one text for each item; empty where it is no list."""


def narrowable_facts(
    action: ActionType, details: Mapping[str, JsonValue]
) -> tuple[NarrowableFact, ...]:
    """Every place in details at which the type lets something be less, as they stand.

    What is as small as it can be already (0, an empty list, true) is not among them.
    """
    found = _places({**details}, ())
    rules = action.stakes.narrow
    return tuple(
        _lessening(action, trail, value, rule)
        for trail, value in found
        if (rule := narrowing.rule_of(tuple(map(str, trail)), rules)) and _has_room(value)
    )


def _places(value: JsonValue, trail: Trail) -> Iterator[tuple[Trail, JsonValue]]:
    if trail:
        yield trail, value
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _places(member, (*trail, name))
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, (*trail, index))


def _has_room(value: JsonValue) -> bool:
    amount = value.get("minor") if isinstance(value, dict) else value
    return bool(value) if isinstance(amount, list | str) else amount is False or _is_more(amount)


def _is_more(value: JsonValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _lessening(
    action: ActionType, trail: Trail, value: JsonValue, rule: Narrowing
) -> NarrowableFact:
    pointer = ""
    for step in trail:
        pointer = pointer_to(pointer, str(step))
    items = value if isinstance(value, list) else []
    return NarrowableFact(
        pointer=pointer,
        label=rendering.called(action, trail),
        asked=rendering.summed_up(value),
        rule=rule,
        items=tuple(rendering.summed_up(item) for item in items),
    )
