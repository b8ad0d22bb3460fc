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
