"""The JSON Schemas that an action type may have.

Owns: the subset of JSON Schema 2020-12 for action types, and finding the schemas at a path.
Never: validating details against a schema (services).

Every object is closed and every array defines its items, so that a token has no member that the
action type does not describe. A schema is one of

    {"$ref": "#/$defs/…"}           to an existing place in the document; not recursive
    {"anyOf": […]}, {"oneOf": […]}  alternatives, each complete in itself
    {"const": …}, {"enum": […]}     strings, integers, booleans, null
    {"type": …}                     object, array, string, integer, boolean, null, or a list of them

with the keywords of `_KEYWORDS`, and `title`, `description`, `$comment` anywhere. Excluded:
`number` (languages format floats differently), `pattern` (may take exponential time), `format`
(validators do not check it), `default` (not shown), `uniqueItems` (quadratic), and keywords that
depend on siblings or names (`allOf`, `not`, `if`, `patternProperties`, `dependentSchemas`).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from server.protocol.json_text import JsonValue, pointer_to, value_at

Schema: TypeAlias = Mapping[str, JsonValue]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
ANY_ITEM: Final = "*"
"""The part of a pointer that matches every index of an array."""
_MONEY_TYPES: Final = {"minor": "integer", "currency": "string"}
MONEY_MEMBERS: Final = frozenset(_MONEY_TYPES)

_REFERENCE = re.compile(r"#((?:/[A-Za-z0-9_$.-]+)+)")
_MAX_REFERENCES = 16
_TYPES = frozenset({"object", "array", "string", "integer", "boolean", "null"})
_ANNOTATIONS = frozenset({"title", "description", "$comment"})
_ROOT_ONLY = frozenset({"$schema", "$defs"})
_NOT_MONEY: Final = (
    "is money: it must have only minor (integer) and currency (string), both required"
)
_REMEDIES: Mapping[str, str] = {
    "pattern": "use enum, minLength and maxLength",
    "format": "leave it out; times in RFC 3339 are recognized when they are shown",
    "patternProperties": "list the members in properties",
    "default": "put the member in required",
    "allOf": "write the members into one schema",
    "definitions": "use $defs",
}


class InvalidSchema(ValueError):
    """An action type may not have this schema. `pointer` says where, the message what to do."""

    def __init__(self, pointer: str, remedy: str) -> None:
        super().__init__(remedy)
        self.pointer = pointer
        self.remedy = remedy


def check_schema(root: JsonValue) -> dict[str, JsonValue]:
    """Check that this is an object schema, closed at every level. Raises InvalidSchema."""
    if not isinstance(root, dict) or root.get("type") != "object":
        raise InvalidSchema("", 'must be a schema with "type": "object"')
    for name in _ROOT_ONLY & root.keys():
        _check_keyword(name, root[name], pointer_to("", name))
    checker = _Checker(root)
    for name, schema in _mapping(root.get("$defs")).items():
        checker.check(schema, pointer_to("/$defs", name), ())
    checker.check({n: v for n, v in root.items() if n not in _ROOT_ONLY}, "", ())
    return root


def at_path(root: Schema, path: Iterable[str]) -> list[Schema]:
    """Return the schemas of a value at this path; empty if the schema has no such path.

    A part of the path is a member name, an index, or ANY_ITEM. The schema must have been checked.
    """
    schemas_here = _complete(root, [root])
    for part in path:
        schemas_here = [
            inner for schema in schemas_here for inner in inner_schemas(root, schema, part)
        ]
    return schemas_here


def inner_schemas(root: Schema, schema: Schema, part: str) -> list[Schema]:
    """Return the complete schemas of a member or item of a complete schema."""
    return _complete(root, _direct_inner(schema, part))


def allowed_types(schema: Schema) -> frozenset[str]:
    """Return the types that a complete schema allows with its `type`, `const` or `enum`."""
    declared = schema.get("type")
    if isinstance(declared, str):
        return frozenset({declared})
    if isinstance(declared, list):
        return frozenset(name for name in declared if isinstance(name, str))
    values = schema.get("enum", [schema.get("const")])
    return frozenset(map(_type_of, values if isinstance(values, list) else []))


class _Checker:
    """Checks a schema recursively; follows each reference once."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._followed: set[str] = set()

    def check(self, schema: JsonValue, pointer: str, following: tuple[str, ...]) -> None:
        if not isinstance(schema, dict):
            raise InvalidSchema(pointer, "must be a schema object, not true or false")
        for name, value in schema.items():
            _check_keyword(name, value, pointer_to(pointer, name))
        form = _form(schema, pointer)
        if form == "$ref":
            self._follow_reference(schema["$ref"], pointer_to(pointer, "$ref"), following)
        elif form == "type":
            _check_types(schema, pointer)
            self._check_money(schema, pointer)
        for inner, inner_pointer in _nested(schema, pointer):
            self.check(inner, inner_pointer, following)

    def _check_money(self, schema: Schema, pointer: str) -> None:
        """Refuse money that an agent could send in a form that rules do not count as money."""
        members = _mapping(schema.get("properties")).keys()
        is_money = members == MONEY_MEMBERS == set(_list(schema.get("required"))) and all(
            allowed_types(value) == {type_name}
            for name, type_name in _MONEY_TYPES.items()
            for value in inner_schemas(self._root, schema, name)
        )
        if members >= MONEY_MEMBERS and not is_money:
            raise InvalidSchema(pointer, _NOT_MONEY)

    def _follow_reference(
        self, reference: JsonValue, pointer: str, following: tuple[str, ...]
    ) -> None:
        target = str(reference)
        if target in following:
            raise InvalidSchema(pointer, "refers to itself; actions have no recursive schemas")
        if target in self._followed:
            return
        if len(following) == _MAX_REFERENCES:
            raise InvalidSchema(
                pointer, f"is reference {_MAX_REFERENCES + 1} in a chain; use fewer"
            )
        schema = _resolve(self._root, target)
        if schema is None:
            raise InvalidSchema(pointer, "points to nothing in this schema")
        self.check(schema, target.removeprefix("#"), (*following, target))
        self._followed.add(target)


def _is_count(value: JsonValue) -> bool:
    return _is_integer(value) and isinstance(value, int) and value >= 0


def _is_integer(value: JsonValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_scalar(value: JsonValue) -> bool:
    return value is None or isinstance(value, str | int)


def _is_text(value: JsonValue) -> bool:
    return isinstance(value, str)


def _is_object(value: JsonValue) -> bool:
    return isinstance(value, dict)


def _are_schemas(value: JsonValue) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_object, value))


def _are_names(value: JsonValue) -> bool:
    return isinstance(value, list) and all(map(_is_text, value)) and len(value) == len(set(value))


def _are_types(value: JsonValue) -> bool:
    named: list[JsonValue] = value if isinstance(value, list) else [value]
    return bool(named) and _are_names(named) and all(name in _TYPES for name in named)


def _are_scalars(value: JsonValue) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_scalar, value))


_Rule: TypeAlias = tuple[Callable[[JsonValue], bool], str, str]
_COUNT = (_is_count, "must be a whole number, 0 or more")
_INTEGER = (_is_integer, "must be a whole number")

# keyword: the check of its value, its error message, and the type it belongs to
_KEYWORDS: Mapping[str, _Rule] = {
    "$schema": (lambda value: value == DIALECT, f"must be {DIALECT}", ""),
    "$defs": (_is_object, "must be an object whose values are schemas", ""),
    "$comment": (_is_text, "must be a string", ""),
    "title": (_is_text, "must be a string", ""),
    "description": (_is_text, "must be a string", ""),
    "$ref": (
        lambda value: isinstance(value, str) and bool(_REFERENCE.fullmatch(value)),
        "must begin with #/ and stay inside this schema",
        "",
    ),
    "anyOf": (_are_schemas, "must be a list of schemas", ""),
    "oneOf": (_are_schemas, "must be a list of schemas", ""),
    "const": (_is_scalar, "must be a string, a whole number, true, false or null", ""),
    "enum": (_are_scalars, "must be a list of strings, whole numbers, true, false, null", ""),
    "type": (
        _are_types,
        "must be object, array, string, integer, boolean or null, or a list of them",
        "",
    ),
    "properties": (_is_object, "must be an object whose values are schemas", "object"),
    "required": (_are_names, "must be a list of unique member names", "object"),
    "additionalProperties": (lambda value: value is False, "must be false", "object"),
    "unevaluatedProperties": (lambda value: value is False, "must be false", "object"),
    "minProperties": (*_COUNT, "object"),
    "maxProperties": (*_COUNT, "object"),
    "items": (_is_object, "must be a schema", "array"),
    "minItems": (*_COUNT, "array"),
    "maxItems": (*_COUNT, "array"),
    "minLength": (*_COUNT, "string"),
    "maxLength": (*_COUNT, "string"),
    "minimum": (*_INTEGER, "integer"),
    "maximum": (*_INTEGER, "integer"),
    "exclusiveMinimum": (*_INTEGER, "integer"),
    "exclusiveMaximum": (*_INTEGER, "integer"),
    "multipleOf": (
        lambda value: _is_count(value) and value != 0,
        "must be 1 or more",
        "integer",
    ),
}


def _check_keyword(name: str, value: JsonValue, pointer: str) -> None:
    if name == "type" and value == "number":
        raise InvalidSchema(pointer, "must not be number: use integer, and minor units for money")
    if name not in _KEYWORDS:
        remedy = _REMEDIES.get(name, "leave it out")
        raise InvalidSchema(pointer, f"is not supported in action types; {remedy}")
    accepts, problem, _ = _KEYWORDS[name]
    if not accepts(value):
        raise InvalidSchema(pointer, problem)


def _form(schema: Schema, pointer: str) -> str:
    """Return the form of a schema. Raises InvalidSchema for a mixture of forms."""
    used = schema.keys() - _ANNOTATIONS
    for form in ("$ref", "anyOf", "oneOf"):
        if form in used and used != {form}:
            raise InvalidSchema(
                pointer_to(pointer, form),
                "cannot be combined with other keywords, except annotations such as title",
            )
        if form in used:
            return form
    if _ROOT_ONLY & used:
        raise InvalidSchema(pointer, "$schema and $defs belong at the top of the schema")
    if "type" in used:
        return "type"
    if used in ({"const"}, {"enum"}):
        return "value"
    raise InvalidSchema(pointer, "must have a type, or only one of const, enum, $ref, anyOf, oneOf")


def _check_types(schema: Schema, pointer: str) -> None:
    types = allowed_types(schema)
    for name in schema:
        belongs_to = _KEYWORDS[name][2]
        if belongs_to and belongs_to not in types:
            raise InvalidSchema(pointer_to(pointer, name), f"needs the type {belongs_to}")
    if "object" in types:
        _check_object(schema, pointer)
    if "array" in types and "items" not in schema:
        raise InvalidSchema(pointer, "an array must have items")


def _check_object(schema: Schema, pointer: str) -> None:
    if not {"additionalProperties", "unevaluatedProperties"} & schema.keys():
        raise InvalidSchema(pointer, 'an object must be closed: add "additionalProperties": false')
    known = _mapping(schema.get("properties"))
    required = schema.get("required", [])
    for name in required if isinstance(required, list) else []:
        if name not in known:
            raise InvalidSchema(pointer_to(pointer, "required"), f"{name} is not in properties")


def _nested(schema: Schema, pointer: str) -> Iterable[tuple[JsonValue, str]]:
    for name, inner in _mapping(schema.get("properties")).items():
        yield inner, pointer_to(f"{pointer}/properties", name)
    if "items" in schema:
        yield schema["items"], f"{pointer}/items"
    for form in ("anyOf", "oneOf"):
        for index, inner in enumerate(_list(schema.get(form))):
            yield inner, f"{pointer}/{form}/{index}"


def _resolve(root: Schema, reference: str) -> JsonValue:
    return value_at(root, reference.removeprefix("#/").split("/"))


def _complete(root: Schema, schemas: Sequence[Schema]) -> list[Schema]:
    """Resolve references and alternatives; each schema appears once."""
    waiting = list(schemas)
    done: dict[int, Schema] = {}
    seen: set[int] = set()
    while waiting:
        schema = waiting.pop(0)
        if id(schema) in seen:
            continue
        seen.add(id(schema))
        alternatives = [*_list(schema.get("anyOf")), *_list(schema.get("oneOf"))]
        if "$ref" in schema:
            alternatives.append(_resolve(root, str(schema["$ref"])))
        waiting += [inner for inner in alternatives if isinstance(inner, dict)]
        if not alternatives:
            done[id(schema)] = schema
    return list(done.values())


def _direct_inner(schema: Schema, part: str) -> list[Schema]:
    candidates = [_mapping(schema.get("properties")).get(part)]
    if part == ANY_ITEM or (part.isascii() and part.isdecimal()):
        candidates.append(schema.get("items"))
    return [inner for inner in candidates if isinstance(inner, dict)]


def _mapping(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _type_of(value: JsonValue) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "integer"
