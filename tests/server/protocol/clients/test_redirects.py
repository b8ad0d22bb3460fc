"""Redirect URIs: where a browser may be sent."""

import pytest

from server.protocol.clients.redirects import (
    form_source,
    host_of,
    is_local,
    is_registered,
    redirect_problem,
    with_parameters,
)

APP = "https://chat.example/callback"


@pytest.mark.parametrize(
    "uri",
    [
        APP,
        "https://chat.example:8443/cb?x=1",
        "http://localhost/cb",
        "http://127.0.0.1:4000/cb",
        "http://[::1]/cb",
        "com.example.app:/callback",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "vscode://publisher.extension/callback",
    ],
)
def test_acceptable_redirect_uris(uri):
    """RFC 8252 7: https, the scheme of an app, and http on a loopback address are allowed."""
    assert redirect_problem(uri) == ""


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/cb",
        "//chat.example/cb",
        "https://",
        "https:///cb",
        "https://[::1/cb",
        "https://chat.example:99999/cb",
        "https://chat.example/cb#f",
        "https://*.example/cb",
        "https://me@chat.example/cb",
        "http://chat.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "app:/cb",
        "app://host/cb",
        "cursor:/cb",
        "cursor://me@host/cb",
        "cursors://host/cb",
        "com.example.app://host/cb",
        "https://chat.example/a b",
        "https://chat.example\\@evil.example/",
        "https://chat.example/\ncb",
    ],
)
def test_dangerous_redirect_uris_are_refused(uri):
    """BC-11: each of these URIs would send a code to someone else or run a script."""
    assert redirect_problem(uri)


@pytest.mark.parametrize(
    ("uri", "known"),
    [
        (APP, APP),
        ("http://127.0.0.1:51004/cb", "http://127.0.0.1/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:4000/cb"),
        ("http://[::1]:51004/cb?x=1", "http://[::1]/cb?x=1"),
    ],
)
def test_loopback_redirects_match_on_any_port(uri, known):
    """BC-01, RFC 8252 7.3: a native app uses any free port."""
    assert is_registered(uri, ("https://other.example/", known))


@pytest.mark.parametrize(
    ("uri", "known"),
    [
        (APP + "/", APP),
        (APP + "?x=1", APP),
        (APP + "/../evil", APP),
        (APP.upper(), APP),
        ("https://chat.example:443/callback", APP),
        ("https://chat.example.evil.example/callback", APP),
        ("http://localhost:51004/cb", "http://127.0.0.1/cb"),
        ("https://127.0.0.1:51004/cb", "http://127.0.0.1/cb"),
        ("https://chat.example:51004/callback", APP),
        ("http://127.0.0.1:51004/cb2", "http://127.0.0.1/cb"),
        ("http://127.0.0.1:51004/cb?x=1", "http://127.0.0.1/cb"),
        ("http://127.0.0.1:99999/cb", "http://127.0.0.1/cb"),
        ("http://x@127.0.0.1:1/cb", "http://127.0.0.1/cb"),
        ("", APP),
    ],
)
def test_any_other_redirect_uri_does_not_match(uri, known):
    """NG-101, MC-05: a URI must be equal, not only have the same prefix, path or meaning."""
    assert not is_registered(uri, (known,))


def test_parameters_are_added_to_an_existing_query():
    """RFC 6749 4.1.2: an existing query is kept, and values are encoded."""
    assert with_parameters(APP, [("code", "a b&c")]) == f"{APP}?code=a+b%26c"
    assert with_parameters(f"{APP}?x=1", [("code", "a")]) == f"{APP}?x=1&code=a"


def test_a_user_sees_the_host_or_the_app_of_a_redirect():
    """The rest of the URI is hidden, because the app can choose it freely."""
    assert host_of(APP + "?x=bank.example") == "chat.example"
    assert host_of("http://127.0.0.1:51004/cb") == "127.0.0.1"
    assert host_of("com.example.app:/callback") == "the app com.example.app"


def test_the_form_action_source_allows_only_the_redirect_target():
    """CSP 3 has no syntax for IPv6 hosts, so their source is the scheme."""
    assert form_source(APP) == "https://chat.example"
    assert form_source("http://127.0.0.1:51004/cb") == "http://127.0.0.1:51004"
    assert form_source("http://[::1]:51004/cb") == "http:"
    assert form_source("com.example.app:/callback") == "com.example.app:"


@pytest.mark.parametrize(
    ("uri", "shown", "local"),
    [
        (APP, "chat.example", False),
        ("http://127.0.0.1:4000/cb", "127.0.0.1", True),
        ("https://localhost/cb", "localhost", True),
        ("cursor://bank.example/cb", "the app cursor", True),
        ("com.example.app:/callback", "the app com.example.app", True),
    ],
)
def test_people_see_who_receives_the_response(uri, shown, local):
    """MC-10: the host of a URI with an app's scheme means nothing, so it is not shown."""
    assert (host_of(uri), is_local(uri)) == (shown, local)
