"""Action types: files that say how an agent's `authorization_details` are shown to people.

Owns: the format of the file and its checks. Never: rendering (`rendering.py`), or which schemas are
accepted (`schemas.py`).

An example file:

    {"type": "payment.transfer", "title": "Payment", "risk": "high",
     "headline": "Pay {amount|money} to {payee}", "undo": "Cannot be undone after 15:00",
     "schema": {"type": "object", "additionalProperties": false, "required": ["amount", "payee"],
                "properties": {"payee": {"type": "string", "maxLength": 70},
                               "amount": {"type": "object", "additionalProperties": false,
                                          "required": ["minor", "currency"],
                                          "properties": {"minor": {"type": "integer"},
                                                         "currency": {"enum": ["EUR"]}}}}},
     "material": ["/amount", "/payee"], "labels": {"/payee": "Paid to"},
     "type_back": {"fact": "/amount"}, "narrow": {"/amount": "lower"},
     "target": "/payee", "amount": "/amount", "deputies": false}

This module adds the member `type` of the details (RFC 9396 2) to the schema. A type without a
`headline` has no template: every fact is material, the risk is at least high, and the undo text
says that it is unknown.

In the headline, `{path}` is replaced by a value and `{path|filter}` by a formatted value:

    {amount|money}                   EUR 4,820.00
    {until|date}                     2026-11-25 14:30 UTC
    {rows|count}                     1,204: an integer, or the number of items of a list
    {rows|count:record:records}      1 record, 1,204 records: with the singular and the plural
    {year|text}                      2026: an integer without a thousands separator
    {domains}                        a.example, b.example: a list of strings
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast

from server.protocol.approvals import kinds
from server.protocol.json_text import JsonValue, pointer_to
from server.protocol.policy import schemas, uses
from server.protocol.policy.fact_rules import FactRules, read_fact_rules
from server.protocol.policy.risks import Risk, highest
from server.protocol.policy.uses import SCALARS, InvalidActionType, Path
from server.protocol.text import check_prose

MAX_HEADLINE: Final = 72
"""The maximum length of a rendered headline and of its literal text."""

UNKNOWN_UNDO: Final = "It is unknown whether this can be undone."

Filter: TypeAlias = Literal["money", "date", "count", "text"]

_MEMBERS = frozenset({"type", "title", "schema"})
_TEMPLATE_MEMBERS = frozenset({"headline", "material", "risk", "undo"})
_OPTIONAL = frozenset(
    {"labels", "type_back", "narrow", "target", "target_name", "amount", "deputies"}
)
_TYPE = re.compile(r"[a-z][a-z0-9._:/-]{0,127}|https://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]{1,120}")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDER_CONTENT = re.compile(
    r"([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)"
    r"(?:\|(money|date|text|count)(?:(?<=count):([^{}|:]{1,40}):([^{}|:]{1,40}))?)?"
)
_MAX_LABEL = 40
_MAX_MATERIAL = 64


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A part of a headline that is replaced by a value of the details."""

    path: Path
    filter: Filter | None
    units: tuple[str, str] | None = None
    """The singular and the plural noun after a count."""


@dataclass(frozen=True, slots=True)
class ActionType:
    """A registered type of `authorization_details`.

    `headline` is literal text and placeholders, in order; it is empty if the type has no template.
    `material` and `labels` hold paths into the details; schemas.ANY_ITEM matches every index.
    """

    type: str
    title: str
    schema: Mapping[str, JsonValue]
    headline: tuple[str | Placeholder, ...]
    material: tuple[Path, ...]
    labels: Mapping[Path, str]
    risk: Risk
    undo: str
    fact_rules: FactRules
    deputies: bool = False
    """Whether a deputy may decide it."""

    @property
    def has_template(self) -> bool:
        """Whether the type has a headline template."""
        return bool(self.headline)

    @property
    def has_type_back(self) -> bool:
        """Whether there is a fact to type back. Without a template, it is the resource."""
        return self.fact_rules.type_back is not None or not self.has_template


def read_action_type(document: JsonValue) -> ActionType:
    """Read and check the document of a file. Raises InvalidActionType."""
    # 1. The members that are plain strings.
    members = _check_members(document)
    name = _read_text(members, "type", 128)
    if name.startswith(kinds.RESERVED):
        raise InvalidActionType("/type", f"{kinds.RESERVED} is reserved for Sayso")
    if not _TYPE.fullmatch(name):
        raise InvalidActionType(
            "/type",
            "must begin with a letter and contain only a-z 0-9 . _ : / -, or be an https URL",
        )
    # 2. The schema, to which the other members refer.
    schema = _complete_schema(members["schema"], name)
    # 3. The members that refer to the schema.
    material = _read_material(members.get("material", []), schema)
    return ActionType(
        type=name,
        title=_read_text(members, "title", MAX_HEADLINE),
        schema=schema,
        headline=_parse_headline(members, schema),
        material=material,
        labels=_read_labels(members.get("labels", {}), schema),
        risk=_read_risk(members),
        undo=_read_text(members, "undo", 280) if "undo" in members else UNKNOWN_UNDO,
        fact_rules=read_fact_rules(members, schema, material if "headline" in members else None),
        deputies=_read_deputies(members),
    )


def _check_members(document: JsonValue) -> dict[str, JsonValue]:
    if not isinstance(document, dict):
        raise InvalidActionType("", "must be a JSON object")
    required = _MEMBERS | (_TEMPLATE_MEMBERS if "headline" in document else frozenset())
    for name in sorted(required - document.keys()):
        raise InvalidActionType(pointer_to("", name), "is missing")
    for name in sorted(document.keys() - _MEMBERS - _TEMPLATE_MEMBERS - _OPTIONAL):
        raise InvalidActionType(pointer_to("", name), "is not a member of action types")
    return document


def _read_text(members: Mapping[str, JsonValue], name: str, max_chars: int) -> str:
    return _check_prose(members[name], pointer_to("", name), max_chars)


def _check_prose(value: JsonValue, pointer: str, max_chars: int) -> str:
    if not isinstance(value, str):
        raise InvalidActionType(pointer, "must be a string")
    try:
        return check_prose(value, what="the text", max_chars=max_chars)
    except ValueError as error:
        raise InvalidActionType(pointer, str(error)) from None


def _read_risk(members: Mapping[str, JsonValue]) -> Risk:
    value = members.get("risk", Risk.HIGH)
    if value not in list(Risk):
        raise InvalidActionType("/risk", "must be low, medium, high or critical")
    risk = Risk(str(value))
    return risk if "headline" in members else highest([risk, Risk.HIGH])


def _read_deputies(members: Mapping[str, JsonValue]) -> bool:
    value = members.get("deputies", False)
    if not isinstance(value, bool):
        raise InvalidActionType("/deputies", "must be true or false")
    return value


def _complete_schema(value: JsonValue, name: str) -> Mapping[str, JsonValue]:
    try:
        schema = schemas.check_schema(value)
    except schemas.InvalidSchema as error:
        raise InvalidActionType(f"/schema{error.pointer}", error.remedy) from None
    properties = cast("dict[str, JsonValue]", schema.get("properties", {}))
    if properties.get("type", {"const": name}) != {"const": name}:
        remedy = f'leave it out, or use {{"const": "{name}"}}; Sayso adds it'
        raise InvalidActionType("/schema/properties/type", remedy)
    required = [r for r in cast("list[str]", schema.get("required", [])) if r != "type"]
    return {
        **schema,
        "properties": {"type": {"const": name}, **properties},
        "required": ["type", *required],
    }


def _parse_headline(
    members: Mapping[str, JsonValue], schema: schemas.Schema
) -> tuple[str | Placeholder, ...]:
    if "headline" not in members:
        return ()
    template = _read_text(members, "headline", 4 * MAX_HEADLINE)
    # The result alternates: literal, placeholder, literal, …, literal.
    pieces = _PLACEHOLDER.split(template)
    literals = pieces[::2]
    if any("{" in literal or "}" in literal for literal in literals):
        raise InvalidActionType("/headline", "braces can enclose only {path} or {path|filter}")
    parts = [
        _parse_placeholder(piece, schema) if index % 2 else piece
        for index, piece in enumerate(pieces)
    ]
    if sum(map(_literal_length, parts)) > MAX_HEADLINE:
        raise InvalidActionType("/headline", f"must have at most {MAX_HEADLINE} characters")
    return tuple(part for part in parts if part)


def _literal_length(part: str | Placeholder) -> int:
    """Return the length of a part without its value."""
    return len(part) if isinstance(part, str) else max(map(len, part.units or ("",)))


def _parse_placeholder(content: str, schema: schemas.Schema) -> Placeholder:
    match = _PLACEHOLDER_CONTENT.fullmatch(content)
    if not match:
        remedy = (
            "a placeholder must be {member.member} with |money, |date, |count, "
            "|count:record:records, |text or nothing"
        )
        raise InvalidActionType("/headline", remedy)
    units = None if match[3] is None else (match[3], match[4])
    placeholder = Placeholder(tuple(match[1].split(".")), cast("Filter | None", match[2]), units)
    matching_schemas = schemas.at_path(schema, placeholder.path)
    if not matching_schemas:
        raise InvalidActionType("/headline", f"{match[1]} is not in the schema")
    if not all(
        _can_be_shown(schema, value_schema, placeholder.filter) for value_schema in matching_schemas
    ):
        raise InvalidActionType("/headline", f"{content} cannot be shown; {_REMEDIES[match[2]]}")
    return placeholder


_REMEDIES: Mapping[str | None, str] = {
    None: "use a string, an integer, a boolean, money or a list of strings",
    "money": 'money must be exactly {"minor": integer, "currency": string}',
    "date": "a date must be a string",
    "count": "a count must be an integer or an array",
    "text": "use a string, an integer or a boolean",
}


def _can_be_shown(
    schema: schemas.Schema, value_schema: schemas.Schema, format_filter: Filter | None
) -> bool:
    types = schemas.allowed_types(value_schema) - {"null"}
    if format_filter == "money":
        return uses.is_money(value_schema)
    if format_filter == "count":
        return types <= {"integer", "array"}
    if format_filter == "date":
        return types <= {"string"}
    if types <= SCALARS:
        return True
    return format_filter is None and (
        uses.is_money(value_schema) or uses.is_list_of_texts(schema, value_schema)
    )


def _read_material(value: JsonValue, schema: schemas.Schema) -> tuple[Path, ...]:
    if not isinstance(value, list) or len(value) > _MAX_MATERIAL:
        raise InvalidActionType("/material", f"must be a list of up to {_MAX_MATERIAL} pointers")
    paths = [
        uses.read_path(item, pointer_to("/material", i), schema) for i, item in enumerate(value)
    ]
    if len(paths) != len(set(paths)):
        raise InvalidActionType("/material", "contains the same pointer twice")
    return tuple(paths)


def _read_labels(value: JsonValue, schema: schemas.Schema) -> Mapping[Path, str]:
    if not isinstance(value, dict):
        raise InvalidActionType("/labels", "must be an object that maps JSON pointers to strings")
    return {
        uses.read_path(name, pointer_to("/labels", name), schema): _check_prose(
            label, pointer_to("/labels", name), _MAX_LABEL
        )
        for name, label in value.items()
    }
