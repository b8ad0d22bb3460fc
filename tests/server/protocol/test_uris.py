"""Names of resources."""

import pytest

from server.protocol import errors, uris


@pytest.mark.parametrize(
    "uri",
    [
        "https://pay.example",
        "https://pay.example/v1?x=1",
        "http://localhost:9000/mcp",
        "http://127.0.0.1",
        "http://[::1]:8080/",
        "https://pay.example:8443/a%20b",
    ],
)
def test_an_absolute_uri_names_a_resource(uri):
    """It is kept exactly as it was written."""
    assert uris.check_resource(uri) == uri
    assert uris.resource_problem(uri) == ""


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "pay",
        "/pay",
        "//pay.example",
        "https:",
        "https://",
        "https://pay.example#f",
        "https://user@pay.example",
        "https://user:pw@pay.example",
        "http://pay.example",
        "ftp://pay.example",
        "javascript:alert(1)",
        "https://pay example",
        "https://päy.example",
        "https://pay.example:port",
        "https://[::1",
        "https://pay.example/" + "a" * 2_000,
    ],
)
def test_what_cannot_name_a_resource_is_invalid_target(uri):
    """RFC 8707 2: absolute, no fragment; and no user, no plain http beyond this machine."""
    with pytest.raises(errors.InvalidTarget):
        uris.check_resource(uri)


@pytest.mark.parametrize(
    ("uri", "below"),
    [
        ("https://auth.example/sayso", True),
        ("https://auth.example/sayso/api", True),
        ("https://AUTH.example:443/sayso/api", True),
        ("https://auth.example./sayso/api", True),
        ("https://auth.example/x/../sayso/api", True),
        ("https://auth.example/%73ayso/api", True),
        ("https://auth.example//sayso", True),
        ("https://auth.example/saysoother", False),
        ("https://auth.example/sayso/../other", False),
        ("https://auth.example/", False),
        ("https://auth.example:8443/sayso", False),
        ("http://auth.example/sayso", False),
        ("https://other.example/sayso", False),
    ],
)
def test_a_place_below_another_is_recognised_however_it_is_written(uri, below):
    """Else a token for a made-up resource would open a real one."""
    assert uris.lies_below(uri, "https://auth.example/sayso") is below


def test_the_names_of_this_machine_are_one_place():
    """As they are for proofs."""
    assert uris.lies_below("http://127.0.0.1:8470/api", "http://localhost:8470")
    assert uris.lies_below("http://localhost:8470/anything", "http://[::1]:8470/")
