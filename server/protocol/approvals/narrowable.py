"""The values of a request that its approver may narrow.

Owns: finding the values to which an action type's `narrow` rules apply. Never: narrowing them;
`narrowing.py` does that, and checks every submitted narrowing itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from server.protocol.approvals import narrowing
from server.protocol.json_text import JsonValue
from server.protocol.policy import rendering, uses
from server.protocol.policy.action_types import ActionType
from server.protocol.policy.fact_rules import Narrowing
from server.protocol.policy.rendering import Trail
from server.protocol.text import SafeText


@dataclass(frozen=True, slots=True)
class NarrowableFact:
    """A value that may be narrowed: its rule, and the value in the request."""

    pointer: str
    """A JSON pointer into the details."""
    label: SafeText
    asked: SafeText
    rule: Narrowing
    items: tuple[SafeText, ...]
    """One text for each item of a list; empty if the value is not a list."""


def narrowable_facts(
    action: ActionType, details: Mapping[str, JsonValue]
) -> tuple[NarrowableFact, ...]:
    """Return all values in the details that the action type lets an approver narrow.

    Values that cannot be narrowed further (0, an empty list, true) are left out.
    """
    trails_and_values = _values_with_trails({**details}, ())
    rules = action.fact_rules.narrow
    return tuple(
        _narrowable_fact(action, trail, value, rule)
        for trail, value in trails_and_values
        if (rule := narrowing.rule_of(tuple(map(str, trail)), rules)) and _can_be_narrowed(value)
    )


def _values_with_trails(value: JsonValue, trail: Trail) -> Iterator[tuple[Trail, JsonValue]]:
    if trail:
        yield trail, value
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _values_with_trails(member, (*trail, name))
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _values_with_trails(item, (*trail, index))


def _can_be_narrowed(value: JsonValue) -> bool:
    amount = value.get("minor") if isinstance(value, dict) else value
    if isinstance(amount, list | str):
        return bool(value)
    return amount is False or (uses.is_integer(amount) and amount > 0)


def _narrowable_fact(
    action: ActionType, trail: Trail, value: JsonValue, rule: Narrowing
) -> NarrowableFact:
    items = value if isinstance(value, list) else []
    return NarrowableFact(
        pointer=uses.as_pointer(tuple(map(str, trail))),
        label=rendering.label_of(action, trail),
        asked=rendering.render_whole(value),
        rule=rule,
        items=tuple(rendering.render_whole(item) for item in items),
    )
