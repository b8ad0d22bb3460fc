"""The members of an action type that are not for rendering: type-back, narrowing, target, amount.

Owns: reading and checking them. Never: using them (ceremonies, narrowing, history).

    "type_back": {"fact": "/amount", "new_target": {"fact": "/account", "part": "last_four"}},
    "narrow": {"/amount": "lower"},
    "target": "/account",
    "target_name": "/payee",
    "amount": "/amount"
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast

from server.protocol.json_text import JsonValue, pointer_to
from server.protocol.policy import schemas, uses
from server.protocol.policy.schemas import Schema
from server.protocol.policy.uses import InvalidActionType, Path

Part: TypeAlias = Literal["whole", "last_four"]
Narrowing: TypeAlias = Literal["lower", "drop", "earlier", "turn_on"]

_PARTS = ("whole", "last_four")
_LAST_CHARACTERS = 4
_NARROWING_RULES: Mapping[str, tuple[frozenset[str], str]] = {
    "lower": (frozenset({"integer"}), "lower requires an integer or money"),
    "drop": (frozenset({"array"}), "drop requires a list"),
    "earlier": (frozenset({"string"}), "earlier requires a time, which is a string"),
    "turn_on": (frozenset({"boolean"}), "turn_on requires a boolean, such as dry_run"),
}
"""The types that a narrowing rule applies to, and the error message for other types."""


@dataclass(frozen=True, slots=True)
class FactToType:
    """A fact to type back, and which part of it."""

    path: Path
    part: Part


@dataclass(frozen=True, slots=True)
class TypeBackRule:
    """The rule that selects the fact to type back."""

    fact: FactToType
    new_target: FactToType | None
    if_there: FactToType | None = None
    """An optional fact, which replaces the other two if the details contain it."""

    def choose(self, *, target_is_new: bool) -> FactToType:
        """Return the fact to type back for this request."""
        return self.new_target if target_is_new and self.new_target is not None else self.fact


@dataclass(frozen=True, slots=True)
class FactRules:
    """The optional members of an action type that this module reads."""

    type_back: TypeBackRule | None = None
    narrow: Mapping[Path, Narrowing] = field(default_factory=dict)
    """The paths that an approver may narrow, with their rules."""
    target: Path | None = None
    """The path of the person or thing that is affected; used to detect a first time."""
    target_name: Path | None = None
    """The path of the target's name. A new combination of target and name is a signal."""
    amount: Path | None = None
    """The path of money or a number. Several values are added up."""


def read_fact_rules(
    members: Mapping[str, JsonValue], schema: Schema, material: tuple[Path, ...] | None
) -> FactRules:
    """Read these members. If `material` is None, all facts are material.

    Raises InvalidActionType.
    """
    target = _read_target(members, schema)
    return FactRules(
        type_back=_read_type_back(members, schema, material, has_target=target is not None),
        narrow=_read_narrowing_rules(members.get("narrow", {}), schema),
        target=target,
        target_name=_read_target_name(members, schema, target),
        amount=_read_amount(members, schema),
    )


def _read_target(members: Mapping[str, JsonValue], schema: Schema) -> Path | None:
    if "target" not in members:
        return None
    path = uses.read_path(members["target"], "/target", schema)
    if not _all_types_in(schema, path, {"string", "integer", "null"}):
        raise InvalidActionType(
            "/target", "must point to a string or an integer, such as the payee's account"
        )
    return path


def _read_target_name(
    members: Mapping[str, JsonValue], schema: Schema, target: Path | None
) -> Path | None:
    if "target_name" not in members:
        return None
    if target is None:
        raise InvalidActionType("/target_name", "requires the member target")
    path = uses.read_path(members["target_name"], "/target_name", schema)
    if path == target or not _all_types_in(schema, path, {"string", "null"}):
        remedy = "must point to a string next to the target, such as the payee next to the account"
        raise InvalidActionType("/target_name", remedy)
    if schemas.ANY_ITEM in path and path[: _list_end(path)] != target[: _list_end(path)]:
        raise InvalidActionType("/target_name", "must be in the same list as the target")
    return path


def _list_end(path: Path) -> int:
    """Return the number of parts up to and including the last `*`."""
    return len(path) - path[::-1].index(schemas.ANY_ITEM)


def _read_amount(members: Mapping[str, JsonValue], schema: Schema) -> Path | None:
    if "amount" not in members:
        return None
    path = uses.read_path(members["amount"], "/amount", schema)
    if not _is_amount(schema, path):
        raise InvalidActionType("/amount", "must point to money, or to an integer that is a count")
    return path


def _read_narrowing_rules(value: JsonValue, schema: Schema) -> Mapping[Path, Narrowing]:
    if not isinstance(value, dict):
        raise InvalidActionType("/narrow", 'must be an object such as {"/amount": "lower"}')
    return dict(_read_narrowing_rule(name, rule, schema) for name, rule in value.items())


def _read_narrowing_rule(name: str, rule: JsonValue, schema: Schema) -> tuple[Path, Narrowing]:
    pointer = pointer_to("/narrow", name)
    if not isinstance(rule, str) or rule not in _NARROWING_RULES:
        raise InvalidActionType(pointer, f"must be one of {', '.join(_NARROWING_RULES)}")
    path = uses.read_path(name, pointer, schema)
    types, remedy = _NARROWING_RULES[rule]
    fits = _is_amount(schema, path) if rule == "lower" else _all_types_in(schema, path, types)
    if not fits:
        raise InvalidActionType(pointer, remedy)
    return path, cast("Narrowing", rule)


def _read_type_back(
    members: Mapping[str, JsonValue],
    schema: Schema,
    material: tuple[Path, ...] | None,
    *,
    has_target: bool,
) -> TypeBackRule | None:
    if "type_back" not in members:
        return None
    value = members["type_back"]
    alternatives = ("new_target", "if_there")
    fact = _read_fact(value, "/type_back", schema, material, alternatives=alternatives)
    others = value if isinstance(value, dict) else {}
    if "new_target" in others and not has_target:
        remedy = "requires the member target"
        raise InvalidActionType("/type_back/new_target", remedy)
    facts = {
        name: _read_fact(
            others[name],
            f"/type_back/{name}",
            schema,
            material,
            is_optional=name == alternatives[1],
        )
        for name in alternatives
        if name in others
    }
    return TypeBackRule(fact, facts.get("new_target"), facts.get("if_there"))


def _read_fact(
    value: JsonValue,
    pointer: str,
    schema: Schema,
    material: tuple[Path, ...] | None,
    *,
    alternatives: tuple[str, ...] = (),
    is_optional: bool = False,
) -> FactToType:
    if not isinstance(value, dict) or not {"fact"} <= value.keys() <= {
        "fact",
        "part",
        *alternatives,
    }:
        raise InvalidActionType(pointer, 'must be an object such as {"fact": "/amount"}')
    fact_pointer = f"{pointer}/fact"
    path = uses.read_path(value["fact"], fact_pointer, schema)
    if material is not None and not any(
        path[: len(material_path)] == material_path for material_path in material
    ):
        raise InvalidActionType(
            fact_pointer, "must be a material fact, so that the approver has seen it"
        )
    if not (_is_amount(schema, path) or _all_types_in(schema, path, {"string", "integer"})):
        raise InvalidActionType(fact_pointer, "must point to a string, an integer or money")
    if not is_optional and not uses.is_always_present(schema, path):
        raise InvalidActionType(
            fact_pointer, "must be required, so that there is something to type"
        )
    return FactToType(path, _read_part(value.get("part", "whole"), pointer, schema, path))


def _read_part(value: JsonValue, pointer: str, schema: Schema, path: Path) -> Part:
    if value not in _PARTS:
        raise InvalidActionType(f"{pointer}/part", "must be whole or last_four")
    if value == "last_four" and not all(map(_has_four_characters, schemas.at_path(schema, path))):
        remedy = f'last_four requires a string with "minLength": {_LAST_CHARACTERS} or more'
        raise InvalidActionType(f"{pointer}/part", remedy)
    return cast("Part", value)


def _has_four_characters(value_schema: Schema) -> bool:
    min_length = value_schema.get("minLength", 0)
    return (
        schemas.allowed_types(value_schema) == {"string"}
        and isinstance(min_length, int)
        and min_length >= _LAST_CHARACTERS
    )


def _all_types_in(schema: Schema, path: Path, allowed: frozenset[str] | set[str]) -> bool:
    return all(
        schemas.allowed_types(value_schema) <= allowed
        for value_schema in schemas.at_path(schema, path)
    )


def _is_amount(schema: Schema, path: Path) -> bool:
    value_schemas = schemas.at_path(schema, path)
    return all(map(uses.is_money, value_schemas)) or _all_types_in(schema, path, {"integer"})
