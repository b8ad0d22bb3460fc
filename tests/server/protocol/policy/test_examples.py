"""An example of a schema: accepted by it, whole, and always the same."""

import json

import pytest
from jsonschema import Draft202012Validator

from server.protocol.policy import action_types, examples
from server.services.policy import builtin_action_types


def _object(**members):
    return {"type": "object", "additionalProperties": False, "properties": members}


@pytest.mark.parametrize("name", sorted(set(builtin_action_types.documents())))
def test_every_type_that_is_shipped_has_an_example_that_it_accepts(name):
    """With every member of it."""
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
def test_each_kind_of_value_keeps_its_limits(schema, value):
    """Alternatives have their first; what is called by its name is an example of it."""
    root = {**_object(it=schema), "$defs": {"word": {"const": "word of it"}}}
    assert examples.example(root) == {"it": value}
    Draft202012Validator(root).validate(examples.example(root))


def test_money_and_what_has_a_known_name_look_like_it():
    """So that a headline reads like one."""
    money = _object(minor={"type": "integer"}, currency={"type": "string"})
    example = examples.example(
        _object(amount=money, until={"type": "string"}, to={"type": "string"})
    )
    assert example == {
        "amount": {"minor": 482_000, "currency": "EUR"},
        "until": "2027-01-31T14:30:00Z",
        "to": "to",
    }


def test_a_member_without_a_name_is_a_text():
    """Nothing is multiplied by nothing."""
    assert examples.example(_object(**{"": {"type": "string", "minLength": 5}})) == {"": "texttext"}


@pytest.mark.parametrize("much", [{"minItems": examples.MAX_VALUES}, {"minItems": 10**12}])
def test_an_example_that_nobody_could_read_is_not_made(much):
    """However small the file that asks for it."""
    with pytest.raises(examples.TooManyValues, match="more than 500 values"):
        examples.example(_object(many={"type": "array", "items": {"type": "null"}, **much}))


def test_a_text_is_never_longer_than_it_can_be_read():
    """Whatever its schema demands."""
    long = examples.example(_object(it={"type": "string", "minLength": 10**9}))
    assert len(long["it"]) <= 4_000
