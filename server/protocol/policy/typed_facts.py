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
"""The default if no action type has a fact to type back."""


def fact_to_type(
    actions: Sequence[ActionType],
    details: Sequence[Mapping[str, JsonValue]],
    *,
    target_is_new: bool,
) -> TypeBack:
    """Return the fact of the riskiest detail whose type has one, otherwise the resource."""
    indexes = sorted(range(len(actions)), key=lambda index: -actions[index].risk.rank)
    for index in indexes:
        rule = actions[index].fact_rules.type_back
        if rule is not None:
            fact = rule.choose(target_is_new=target_is_new)
            if rule.if_there is not None and _is_present(details[index], rule.if_there):
                fact = rule.if_there
            label, value = rendering.labeled_values(actions[index], details[index], fact.path)[0]
            number = f"{index + 1}. " if len(actions) > 1 else ""
            at = f"/authorization_details/{index}{uses.as_pointer(fact.path)}"
            return TypeBack(f"{number}{label}", type_back_kind(fact, value), at)
    return _RESOURCE


def _is_present(detail: Mapping[str, JsonValue], fact: FactToType) -> bool:
    return next(rendering.values_at(detail, fact.path), None) is not None
