"""Example values for a schema are valid, complete and deterministic."""

import json

import pytest
from jsonschema import Draft202012Validator

from server.protocol.policy import action_types, examples
from server.services.policy import builtin_action_types


def _object(**members):
    return {"type": "object", "additionalProperties": False, "properties": members}


@pytest.mark.parametrize("name", sorted(set(builtin_action_types.documents())))
def test_every_built_in_type_has_a_valid_example(name):
    """The example of a built-in type is valid and has all its members."""
    schema = action_types.read_action_type(json.loads(builtin_action_types.document(name))).schema
    example = examples.example(schema)
    Draft202012Validator(dict(schema)).validate(example)
    assert example.keys() == schema["properties"].keys()
    assert examples.example(schema) == example


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": "x"}, "x"),
        ({"enum": [3, 4]}, 3),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["null", "string"]}, "it"),
        ({"type": "integer"}, 3),
        ({"type": "integer", "minimum": 10}, 10),
        ({"type": "integer", "exclusiveMinimum": 10}, 11),
        ({"type": "integer", "maximum": 2}, 2),
        ({"type": "integer", "exclusiveMaximum": 2}, 1),
        ({"type": "integer", "multipleOf": 5}, 5),
        ({"type": "integer", "multipleOf": 5, "maximum": 4}, 0),
        ({"type": "string", "minLength": 5}, "ititit"),
        ({"type": "string", "maxLength": 1}, "i"),
        ({"type": "string", "description": "A time in RFC 3339"}, "2027-01-31T14:30:00Z"),
        ({"type": "array", "items": {"type": "integer"}}, [3]),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [3, 3]),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 0}, []),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, 3),
        ({"$ref": "#/$defs/word"}, "word of it"),
    ],
)
def test_each_kind_of_example_respects_its_limits(schema, value):
    """The example is valid; it uses the first alternative and the target of a reference."""
    root = {**_object(it=schema), "$defs": {"word": {"const": "word of it"}}}
    assert examples.example(root) == {"it": value}
    Draft202012Validator(root).validate(examples.example(root))


def test_examples_of_money_and_known_names_look_real():
    """Realistic examples make headlines readable."""
    money = _object(minor={"type": "integer"}, currency={"type": "string"})
    example = examples.example(
        _object(amount=money, until={"type": "string"}, to={"type": "string"})
    )
    assert example == {
        "amount": {"minor": 482_000, "currency": "EUR"},
        "until": "2027-01-31T14:30:00Z",
        "to": "to",
    }


def test_an_example_for_an_empty_member_name_is_a_fixed_word():
    """A member whose name is empty cannot have its name as the example."""
    assert examples.example(_object(**{"": {"type": "string", "minLength": 5}})) == {"": "texttext"}


@pytest.mark.parametrize("much", [{"minItems": examples.MAX_VALUES}, {"minItems": 10**12}])
def test_an_example_with_too_many_values_is_refused(much):
    """Even a small schema can require too many values for a person to read."""
    with pytest.raises(examples.TooManyValues, match="more than 500 values"):
        examples.example(_object(many={"type": "array", "items": {"type": "null"}, **much}))


def test_an_example_string_has_a_maximum_length():
    """The maximum applies even if the schema requires a longer string."""
    long = examples.example(_object(it={"type": "string", "minLength": 10**9}))
    assert len(long["it"]) <= 4_000
