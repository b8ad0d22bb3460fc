"""Closed JSON schemas are accepted, and open ones are refused."""

import pytest
from jsonschema import Draft202012Validator

from server.protocol.policy import schemas

TEXT = {"type": "string"}


def closed(**properties):
    """Return a closed object schema."""
    return {"type": "object", "additionalProperties": False, "properties": properties}


CLOSED_SCHEMAS = [
    closed(),
    closed(a=TEXT, b={"type": "integer", "minimum": 0, "multipleOf": 5}),
    closed(a={"type": ["string", "null"], "minLength": 1, "maxLength": 4, "title": "A"}),
    closed(a={"const": 1}, b={"enum": ["x", None, True]}, c={"type": "string", "const": "x"}),
    closed(a={"type": "array", "items": closed(b=TEXT), "minItems": 1, "maxItems": 3}),
    {"type": "object", "unevaluatedProperties": False, "properties": {"a": TEXT}},
    {**closed(a={"$ref": "#/$defs/t", "description": "x"}), "$defs": {"t": TEXT}},
    {**closed(a={"$ref": "#/properties/b"}, b=TEXT), "$schema": schemas.DIALECT},
    closed(a={"oneOf": [closed(iban=TEXT), closed(account=TEXT, bank=TEXT)]}),
    {**closed(a=TEXT), "required": ["a"], "minProperties": 1, "maxProperties": 2},
]


@pytest.mark.parametrize("schema", CLOSED_SCHEMAS, ids=map(str, range(len(CLOSED_SCHEMAS))))
def test_a_closed_schema_is_accepted_and_valid_json_schema(schema):
    """Accepted schemas are valid JSON Schema 2020-12."""
    assert schemas.check_schema(schema) == schema
    Draft202012Validator.check_schema(schema)


OPEN_SCHEMAS = [
    (True, ""),
    ([], ""),
    ({"type": "string"}, ""),
    ({"type": ["object", "null"], "additionalProperties": False}, ""),
    ({"type": "object"}, ""),
    ({"type": "object", "additionalProperties": True}, "/additionalProperties"),
    ({"type": "object", "additionalProperties": {}}, "/additionalProperties"),
    (closed(a={"type": "object"}), "/properties/a"),
    (closed(a={"type": ["object", "null"]}), "/properties/a"),
    (closed(a={"type": "array"}), "/properties/a"),
    (closed(a={"type": "array", "items": True}), "/properties/a/items"),
    (closed(a={"type": "array", "items": {"type": "object"}}), "/properties/a/items"),
    (closed(a={}), "/properties/a"),
    (closed(a=True), "/properties/a"),
    (closed(a={"title": "anything"}), "/properties/a"),
    (closed(a={"type": "number"}), "/properties/a/type"),
    (closed(a={"type": ["integer", "number"]}), "/properties/a/type"),
    (closed(a={"type": ["string", "string"]}), "/properties/a/type"),
    (closed(a={"type": []}), "/properties/a/type"),
    (closed(a={"type": "string", "pattern": "(a+)+$"}), "/properties/a/pattern"),
    (closed(a={"type": "string", "format": "date"}), "/properties/a/format"),
    (closed(a={"type": "string", "default": "x"}), "/properties/a/default"),
    (closed(a={"type": "string", "minLength": -1}), "/properties/a/minLength"),
    (closed(a={"type": "string", "minLength": True}), "/properties/a/minLength"),
    (closed(a={"type": "string", "minimum": 1}), "/properties/a/minimum"),
    (closed(a={"type": "integer", "multipleOf": 0}), "/properties/a/multipleOf"),
    (closed(a={"type": "integer", "maximum": 1.5}), "/properties/a/maximum"),
    (closed(a={"type": "string", "properties": {}}), "/properties/a/properties"),
    (closed(a={"type": "array", "items": TEXT, "uniqueItems": True}), "/properties/a/uniqueItems"),
    (closed(a={"const": 1.5}), "/properties/a/const"),
    (closed(a={"const": {"b": 1}}), "/properties/a/const"),
    (closed(a={"enum": []}), "/properties/a/enum"),
    (closed(a={"enum": [["x"]]}), "/properties/a/enum"),
    (closed(a={"anyOf": []}), "/properties/a/anyOf"),
    (closed(a={"anyOf": [{}]}), "/properties/a/anyOf/0"),
    (closed(a={"anyOf": [TEXT], "type": "string"}), "/properties/a/anyOf"),
    (closed(a={"allOf": [TEXT]}), "/properties/a/allOf"),
    (closed(a={"not": TEXT}), "/properties/a/not"),
    (closed(a={"$id": "https://x.example", "type": "string"}), "/properties/a/$id"),
    (closed(a={"type": "string", "$defs": {}}), "/properties/a"),
    ({**closed(), "patternProperties": {"^x": TEXT}}, "/patternProperties"),
    ({**closed(), "required": ["a"]}, "/required"),
    ({**closed(a=TEXT), "required": ["a", "a"]}, "/required"),
    ({**closed(), "$schema": "http://json-schema.org/draft-07/schema#"}, "/$schema"),
    ({**closed(), "$defs": []}, "/$defs"),
    ({**closed(), "$defs": {"unused": {}}}, "/$defs/unused"),
    (closed(a={"$ref": "https://evil.example/s"}), "/properties/a/$ref"),
    (closed(a={"$ref": "#"}), "/properties/a/$ref"),
    (closed(a={"$ref": "other.json#/a"}), "/properties/a/$ref"),
    (closed(a={"$ref": "#/$defs/none"}), "/properties/a/$ref"),
    (closed(a={"$ref": "#/$defs/none", "type": "string"}), "/properties/a/$ref"),
    (closed(a={"$ref": "#/properties/a"}), "/properties/a/$ref"),
    (closed(a={"$ref": "#/properties/b/const"}, b={"const": "x"}), "/properties/b/const"),
    (closed(a=closed(b={"$ref": "#/properties/a"})), "/properties/a/properties/b/$ref"),
    (
        {**closed(), "$defs": {"x": {"$ref": "#/$defs/y"}, "y": {"$ref": "#/$defs/x"}}},
        "/$defs/x/$ref",
    ),
]


@pytest.mark.parametrize(
    ("schema", "pointer"), OPEN_SCHEMAS, ids=map(str, range(len(OPEN_SCHEMAS)))
)
def test_an_open_schema_is_refused_with_its_pointer(schema, pointer):
    """The error tells the author where the schema is open, and how to close it."""
    with pytest.raises(schemas.InvalidSchema) as refusal:
        schemas.check_schema(schema)
    assert refusal.value.pointer == pointer
    assert refusal.value.remedy


BOTH = ["minor", "currency"]
MONEY = {"minor": {"type": "integer"}, "currency": TEXT}


def test_money_has_exactly_two_required_members():
    """The values of other objects with these members would not be counted by rules about amounts.

    An agent could leave out an optional currency, or add an optional note.
    """
    number = {"$ref": "#/$defs/number"}
    for required, members, is_money in (
        (BOTH, MONEY, True),
        (BOTH, {**MONEY, "minor": number}, True),
        (["minor"], MONEY, False),
        (BOTH, {**MONEY, "note": TEXT}, False),
        (BOTH, {**MONEY, "minor": {"type": ["integer", "string"]}}, False),
        (BOTH, {**MONEY, "currency": {"enum": ["EUR", None]}}, False),
    ):
        amount = {**closed(**members), "required": required}
        schema = {**closed(amount=amount), "$defs": {"number": {"type": "integer"}}}
        if is_money:
            assert schemas.check_schema(schema) == schema
        else:
            with pytest.raises(schemas.InvalidSchema, match="is money") as refusal:
                schemas.check_schema(schema)
            assert refusal.value.pointer == "/properties/amount"


def test_a_very_long_chain_of_references_is_refused():
    """The number of references in a chain is limited, so that no document exhausts the stack."""
    chain = {f"d{i}": {"$ref": f"#/$defs/d{i + 1}"} for i in range(2_000)}
    with pytest.raises(schemas.InvalidSchema, match="in a chain"):
        schemas.check_schema({**closed(), "$defs": {**chain, "d2000": TEXT}})


def test_references_that_double_at_every_step_are_walked_once():
    """Each reference is followed once, so the cost is not exponential."""
    bomb = {f"d{i}": {"anyOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 8} for i in range(15)}
    schema = {**closed(a={"$ref": "#/$defs/d0"}), "$defs": {**bomb, "d15": TEXT}}
    schemas.check_schema(schema)
    assert schemas.at_path(schema, ["a"]) == [TEXT]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (["a"], 1),
        (["list"], 1),
        (["list", "*"], 2),
        (["list", "0"], 2),
        (["list", "*", "iban"], 1),
        (["list", "*", "none"], 0),
        (["list", "iban"], 0),
        (["a", "*"], 0),
        (["none"], 0),
    ],
)
def test_paths_lead_through_references_arrays_and_alternatives(path, found):
    """A path leads to one schema for each alternative."""
    item = {"anyOf": [closed(iban=TEXT), closed(account=TEXT)]}
    schema = {
        **closed(a=TEXT, list={"type": "array", "items": {"$ref": "#/$defs/item"}}),
        "$defs": {"item": item},
    }
    schemas.check_schema(schema)
    assert len(schemas.at_path(schema, path)) == found


def test_the_types_of_an_enum_are_those_of_its_values():
    """An enum or constant allows the types of its values."""
    assert schemas.allowed_types({"enum": ["x", 1, True, None]}) == {
        "string",
        "integer",
        "boolean",
        "null",
    }
    assert schemas.allowed_types({"const": "x"}) == {"string"}
    assert schemas.allowed_types({"type": ["array", "null"]}) == {"array", "null"}


def test_a_reference_may_point_into_a_list_of_alternatives():
    """The index selects an alternative, and an invalid index is refused."""
    both = {"anyOf": [TEXT, closed(iban=TEXT)]}
    schema = {**closed(a={"$ref": "#/$defs/both/anyOf/1"}), "$defs": {"both": both}}
    schemas.check_schema(schema)
    assert schemas.at_path(schema, ["a", "iban"]) == [TEXT]
    for suffix in ("2", "x", "0/type/x"):
        reference = {"$ref": f"#/$defs/both/anyOf/{suffix}"}
        with pytest.raises(schemas.InvalidSchema):
            schemas.check_schema({**closed(a=reference), "$defs": {"both": both}})


def test_definitions_must_be_an_object():
    """Definitions must be an object of closed schemas."""
    with pytest.raises(schemas.InvalidSchema):
        schemas.check_schema({**closed(a=TEXT), "$defs": []})
    with pytest.raises(schemas.InvalidSchema):
        schemas.check_schema({**closed(a=TEXT), "$defs": {"open": {"type": "object"}}})
