"""Valid resource URIs and callback URIs, and their comparison."""

import pytest

from server.protocol import errors
from server.protocol.resources import uris


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
    """A valid URI is stored exactly as written."""
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
def test_an_invalid_resource_uri_is_invalid_target(uri):
    """RFC 8707 2: a URI must be absolute and https, without a fragment or user name."""
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
def test_a_uri_below_another_is_recognized_in_every_spelling(uri, below):
    """Otherwise, a token for an invented resource could be used at a real one."""
    assert uris.is_below(uri, "https://auth.example/sayso") is below


def test_all_names_of_this_machine_are_the_same():
    """All loopback names are the same host, as in the comparison of DPoP proofs."""
    assert uris.is_below("http://127.0.0.1:8470/api", "http://localhost:8470")
    assert uris.is_below("http://localhost:8470/anything", "http://[::1]:8470/")


@pytest.mark.parametrize("uri", ["https://bot.example/cb?x=1", "https://bot.example:8443"])
def test_a_callback_uri_uses_https(uri):
    """CIBA 4 requires https. Whether the host is public is checked when it is called."""
    assert uris.callback_problem(uri, development=False) == ""


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("http://bot.example/cb", "https"),
        ("http://localhost:9/cb", "https"),
        ("https://localhost/cb", "this machine"),
        ("https://[::1]/cb", "this machine"),
        ("https://me@bot.example/", "no user"),
        ("https:///cb", "a host"),
        ("https://[bad/", "absolute URI"),
        ("https://bot.example/#a", "absolute URI"),
        ("https://bot.example/" + "a" * 1000, "1000 characters"),
        ("ftp://bot.example/", "https"),
        ("bot.example", "a host"),
    ],
)
def test_an_invalid_callback_uri_is_refused_with_the_reason(uri, says):
    """NG-009: callbacks never use plain http or lead to this machine."""
    assert says in uris.callback_problem(uri, development=False)


def test_in_development_a_callback_may_be_on_this_machine():
    """In development, a callback on this machine may use http; other callbacks must use https."""
    for uri in ("http://127.0.0.1:9/cb", "http://[::1]:9/", "https://localhost:9/"):
        assert uris.callback_problem(uri, development=True) == ""
    assert uris.callback_problem("http://bot.example/", development=True) == "must be https"


@pytest.mark.parametrize(
    ("uri", "other", "same"),
    [
        ("https://mcp.example", "https://mcp.example/", True),
        ("https://mcp.example/mcp/", "https://mcp.example/mcp", True),
        ("https://mcp.example/mcp", "https://mcp.example/mcp", True),
        ("https://mcp.example//", "https://mcp.example", False),
        ("https://mcp.example/mcp?to=/", "https://mcp.example/mcp?to=", False),
        ("https://mcp.example/mcp", "https://mcp.example/MCP", False),
    ],
)
def test_a_trailing_slash_makes_no_difference(uri, other, same):
    """Clients send both forms of a path. A slash at the end of a query still counts."""
    assert uris.is_same(uri, other) is same
    assert uris.is_same(other, uri) is same
