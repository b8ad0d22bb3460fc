"""Parsing of form bodies and queries."""

import pytest

from server.protocol import errors, forms

TYPE = forms.CONTENT_TYPE


def test_an_empty_parameter_counts_as_omitted():
    """`login_hint=` is treated like a parameter that was not sent (RFC 6749 3.1)."""
    form = forms.parse(b"a=1&b=&c=x%20y+z", f"{TYPE}; charset=utf-8")

    assert form.get("a") == "1"
    assert form.get("b") is None
    assert form.get("c") == "x y z"
    assert form.every("b") == ()
    with pytest.raises(errors.InvalidRequest, match="b is missing"):
        form.require("b")


def test_a_repeated_parameter_is_refused_without_naming_it():
    """The sender chooses the parameter's name, so it is only logged."""
    with pytest.raises(errors.InvalidRequest) as caught:
        forms.parse(b"scope=a&scope=b", TYPE)

    assert "scope" not in caught.value.description
    assert caught.value.detail == "scope"


def test_a_resource_may_be_repeated():
    """RFC 8707 2 allows several resources; the callers decide whether they do."""
    form = forms.parse(b"resource=a&resource=b", TYPE)

    assert form.every("resource") == ("a", "b")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"a=1", "application/json"),
        (b"a=1", ""),
        (b"a=1", "multipart/form-data"),
        (b"a=%ff", TYPE),
        (b"a=\xff", TYPE),
        (b"a=x%00y", TYPE),
        (b"a%00=x", TYPE),
        (b"&".join(b"a%d=1" % n for n in range(101)), TYPE),
        (b"a=" + b"x" * forms.MAX_BYTES, TYPE),
    ],
    ids=[
        "json",
        "untyped",
        "multipart",
        "not utf-8",
        "not ascii",
        "null",
        "null name",
        "many",
        "long",
    ],
)
def test_a_body_that_is_not_a_valid_form_is_refused(body, content_type):
    """A body of another type, another encoding or excessive size is refused."""
    with pytest.raises(errors.InvalidRequest):
        forms.parse(body, content_type)


def test_too_many_parameters_are_called_too_many():
    """A form may have one hundred parameters, and the error says so."""
    sent = [b"a%d=1" % number for number in range(forms.MAX_FIELDS + 1)]
    with pytest.raises(errors.InvalidRequest, match="more than 100 parameters"):
        forms.parse(b"&".join(sent), TYPE)
    assert len(forms.parse(b"&".join(sent[1:]), TYPE).values) == forms.MAX_FIELDS


def test_a_query_is_read_as_strictly_as_a_form():
    """Repeated parameters, null characters and overlong queries are refused."""
    assert forms.parse_query(b"a=1&b=%C3%A9").get("b") == "\u00e9"
    for query in (b"a=1&a=2", b"a=%00", b"a=%FF", b"\xff", b"a=" + b"x" * forms.MAX_BYTES):
        with pytest.raises(errors.InvalidRequest):
            forms.parse_query(query)
