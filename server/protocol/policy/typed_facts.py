"""Selecting the fact that an approver types back, by the rules of the action types.

Owns: the selection. Never: comparing the entry (`approvals/ceremonies.py`).
"""

from collections.abc import Mapping, Sequence
from typing import Final

from server.protocol.approvals.ceremonies import TypeBack, type_back_kind
from server.protocol.json_text import JsonValue
from server.protocol.policy import rendering, uses
from server.protocol.policy.action_types import ActionType
from server.protocol.policy.fact_rules import FactToType

_RESOURCE: Final = TypeBack("Resource", "text", "/resource")
"""The default if no action type with a template names a fact."""


def fact_to_type(
    actions: Sequence[ActionType],
    details: Sequence[Mapping[str, JsonValue]],
    *,
    target_is_new: bool,
) -> TypeBack:
    """The fact of the riskiest detail whose action type names one, else the resource."""
    places = sorted(range(len(actions)), key=lambda place: -actions[place].risk.rank)
    for place in places:
        rule = actions[place].fact_rules.type_back
        if rule is not None:
            fact = rule.chosen(target_is_new=target_is_new)
            if rule.if_there is not None and _is_there(details[place], rule.if_there):
                fact = rule.if_there
            label, value = rendering.labeled_values(actions[place], details[place], fact.path)[0]
            number = f"{place + 1}. " if len(actions) > 1 else ""
            at = f"/authorization_details/{place}{uses.as_pointer(fact.path)}"
            return TypeBack(f"{number}{label}", type_back_kind(fact, value), at)
    return _RESOURCE


def _is_there(detail: Mapping[str, JsonValue], fact: FactToType) -> bool:
    return next(rendering.values_at(detail, fact.path), None) is not None
