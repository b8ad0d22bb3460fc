"""The strict JSON parser for external input, and canonical JSON."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.protocol import errors, json_text

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-json_text.MAX_INTEGER, json_text.MAX_INTEGER)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab/~é"), inner),
    max_leaves=12,
)


def nested(depth):
    """Return a document of `depth` nested arrays."""
    return "[" * depth + "]" * depth


@given(values)
def test_canonical_text_is_read_back_unchanged(value):
    """Writing and reading a value returns the same value."""
    assert json_text.parse(json_text.canonical(value), max_depth=60) == value


@given(st.text(max_size=60) | st.binary(max_size=60))
def test_any_input_is_parsed_or_refused(text):
    """Invalid input raises InvalidRequest and no other error."""
    with contextlib.suppress(errors.InvalidRequest):
        json_text.canonical(json_text.parse(text))


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ('{"a":1,"a":1}', "/a"),
        ('{"a":[0,{"b":1,"c":2,"b":3}]}', "/a/1/b"),
        ('{"a/b":{"~":1,"~":2}}', "/a~1b/~0"),
        ('{"a":NaN}', "/a"),
        ("[Infinity]", "/0"),
        ("[1,-Infinity]", "/1"),
        ('{"a":9007199254740992}', "/a"),
        ('{"a":-9007199254740992}', "/a"),
        ('{"a":' + "9" * 60_000 + "}", "/a"),
        ('{"a":1.5}', "/a"),
        ('{"a":1.0}', "/a"),
        ('{"a":1e3}', "/a"),
        ('{"a":"\\ud800"}', "/a"),
        ('{"a":{"\\udfff":1}}', "/a/"),
        ('{"a":"b\\u0000"}', "/a"),
        ('{"a":{"\\u0000":1}}', "/a/"),
        (nested(17), "/0" * 16),
        (nested(500), "/0" * 16),
    ],
)
def test_an_ambiguous_value_is_refused_with_its_pointer(text, pointer):
    """The error has the parameter and the JSON pointer (RFC 6901) of the value."""
    with pytest.raises(errors.InvalidRequest) as refusal:
        json_text.parse(text, what="authorization_details")
    assert refusal.value.description.startswith(f"authorization_details{pointer}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{} {}",
        "[1,]",
        "{'a':1}",
        '{"a":1}x',
        '"tab\tinside"',
        '"\x00"',
        "01",
        "\ufeff{}",
        b"\xff",
        b'"\xed\xa0\x80"',
        b'{"a":"\xc3"}',
        b"\xef\xbb\xbf{}",
        '"\ud800"',
        "nul",
    ],
)
def test_input_that_is_not_one_json_text_is_refused(text):
    """The input must be one JSON value in UTF-8, with nothing after it."""
    with pytest.raises(errors.InvalidRequest):
        json_text.parse(text)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_hundred_thousand_levels_are_refused_without_a_crash(opening):
    """A deeply nested document cannot exhaust the stack."""
    with pytest.raises(errors.InvalidRequest, match="deep"):
        json_text.parse(opening * 100_000, max_bytes=1_000_000)


def test_size_is_counted_in_bytes_for_text_and_bytes():
    """The limit counts the bytes that were sent, not characters."""
    assert json_text.parse('"ää"', max_bytes=6) == "ää"
    for text in ('"ää"', '"ää"'.encode()):
        with pytest.raises(errors.InvalidRequest, match="more than 5 bytes"):
            json_text.parse(text, max_bytes=5)


def test_a_depth_of_sixteen_is_accepted():
    """The default depth limit is inclusive."""
    assert json_text.parse(nested(16)) == json.loads(nested(16))


def test_the_largest_exact_integers_are_accepted():
    """All JSON readers represent these integers exactly."""
    assert json_text.parse("[9007199254740991,-9007199254740991]") == [2**53 - 1, 1 - 2**53]


def test_floats_are_read_only_when_allowed():
    """If floats are allowed, they must be finite."""
    assert json_text.parse("[1.5,2]", allow_floats=True) == [1.5, 2]
    with pytest.raises(errors.InvalidRequest, match="/0: the number is too large"):
        json_text.parse("[1e400]", allow_floats=True)


def test_an_overlong_pointer_is_cut_in_the_error():
    """An error stays short even if member names are very long."""
    with pytest.raises(errors.InvalidRequest) as refusal:
        json_text.parse('{"' + "n" * 10_000 + '":1.5}')
    assert len(refusal.value.description) < 400


def test_canonical_text_is_sorted_and_without_spaces():
    """RFC 8785: a value has exactly one canonical text."""
    assert json_text.canonical({"b": 1, "a": ["é", None]}) == '{"a":["é",null],"b":1}'
