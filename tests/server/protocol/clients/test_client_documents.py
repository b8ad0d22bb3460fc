"""Client ID metadata documents: their URLs, their contents, and how long they are fresh."""

import json

import pytest

from server.protocol.clients import client_documents as documents
from server.protocol.clients.client_documents import InvalidDocument
from server.protocol.names import USUAL_APP_GRANTS
from tests.support.fakes.document_host import URL, document

KEY = {
    "kty": "EC",
    "crv": "P-256",
    "kid": "a",
    "x": "WKn-ZIGevcwGIyyrzFoZNBdaq9_TsqzGl96oc0CWuis",
    "y": "y77t-RvAHRKTsSGdIYUfweuOvwrvDD-Q3Hv5J0fSKbE",
}
HOUR = 3_600_000
NOON = 1_760_000_000_000


def read(members, media_type="application/json"):
    """Parse a document with these members."""
    return documents.read(URL, json.dumps(members).encode(), media_type)


@pytest.mark.parametrize(
    "url",
    [
        "https://chat.example/",
        "https://chat.example/client.json",
        "https://chat.example:8443/a?b=c",
        "https://xn--bcher-kva.example/client",
    ],
)
def test_an_https_url_with_a_path_can_be_a_client_id(url):
    """CI-01: a client ID may be any https URL with a path."""
    assert documents.url_problem(url, development=False) == ""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://chat.example/client", "https://"),
        ("HTTPS://chat.example/client", "https://"),
        ("https://chat.example", "a path"),
        ("https://chat.example?x=/", "a path"),
        ("https://chat.example/client#top", "a fragment"),
        ("https://chat.example/a/../client", "segments"),
        ("https://chat.example/./client", "segments"),
        ("https://chat.example/%2e%2E/client", "segments"),
        ("https://eve@chat.example/client", "user name"),
        ("https://eve:pw@chat.example/client", "user name"),
        ("https://Chat.example/client", "lower case"),
        ("https://chat/client", "fully qualified host name"),
        ("https://chat.example./client", "fully qualified host name"),
        ("https://10.0.0.1/client", "fully qualified host name"),
        ("https://0x7f.1/client", "fully qualified host name"),
        ("https://[::1]/client", "a URL"),
        ("https://localhost/client", "fully qualified host name"),
        ("https://-chat.example/client", "fully qualified host name"),
        ("https://chat.example:port/client", "a URL"),
        ("https://chät.example/client", "a URL"),
        ("https://" + "a" * 60 + ".example/client", "up to 56"),
        ("https://chat.example/" + "a" * 256, "256 characters"),
    ],
)
def test_any_other_url_is_not_a_client_id(url, expected):
    """CI-01, CI-11: the error says what is wrong, and nothing is fetched for such a URL."""
    assert expected in documents.url_problem(url, development=False)


def test_in_development_a_client_may_be_on_this_machine():
    """In development, the URL may use localhost and any port, but must still be https."""
    assert documents.url_problem("https://localhost:8990/client", development=True) == ""
    assert documents.url_problem("http://localhost:8990/client", development=True)


@pytest.mark.parametrize(
    ("host", "policy", "refused"),
    [
        ("chat.example", "never", "registered clients"),
        ("chat.example", "list", "not allowed"),
        ("good.example", "list", ""),
        ("a.good.example", "list", "not allowed"),
        ("chat.example", "ask", ""),
        ("evil.example", "ask", "blocked"),
        ("a.evil.example", "ask", "blocked"),
        ("notevil.example", "ask", ""),
        ("good.example", "never", "registered clients"),
        ("both.example", "list", "blocked"),
    ],
)
def test_the_settings_decide_which_hosts_are_allowed(host, policy, refused):
    """The blocklist takes precedence over the allowlist, and also covers subdomains."""
    found = documents.policy_problem(
        host, policy, {"good.example", "both.example"}, {"evil.example", "both.example"}
    )
    assert (refused in found) if refused else found == ""


def test_a_client_may_decline_refresh_tokens():
    """RFC 7591 2: a client does not get a grant type that it does not declare."""
    declared = ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"]
    assert read(document(grant_types=declared)).grant_types == ("authorization_code",)
    both = ["authorization_code", "refresh_token"]
    assert read(document(grant_types=both)).grant_types == USUAL_APP_GRANTS


def test_a_document_is_read():
    """CI-12, NG-004: a client without an auth method is public, and unused members are ignored."""
    rest = {
        "logo_uri": "https://x.example/logo",
        "backchannel_client_notification_endpoint": "https://x.example/cb",
    }
    found = read(document(token_endpoint_auth_method=None, **rest))
    assert (found.url, found.claimed_name, found.auth_method) == (URL, "Chat", "none")
    assert found.redirect_uris == ("https://chat.example/callback", "http://127.0.0.1/callback")
    assert (found.keys, found.keys_url, found.id_token_alg) == ((), None, "RS256")
    assert found.grant_types == USUAL_APP_GRANTS
    assert read(document(), "application/oauth-client+json; charset=utf-8") == found


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"client_id": f"{URL}?"}, "client_id must be the URL"),
        ({"client_id": "https://other.example/client.json"}, "client_id must be the URL"),
        ({"client_id": None}, "client_id must be the URL"),
        ({"client_secret": "s"}, "client_secret"),
        ({"client_secret_expires_at": 0}, "client_secret_expires_at"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "none or private_key_jwt"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "jwks or jwks_uri"),
        ({"grant_types": ["client_credentials"]}, "grant_types must contain authorization_code"),
        ({"response_types": ["token"]}, "response_types must contain code"),
        ({"redirect_uris": None}, "redirect_uris must be a list"),
        ({"redirect_uris": []}, "redirect_uris must be a list"),
        ({"redirect_uris": ["https://chat.example/cb"] * 21}, "1 to 20"),
        ({"redirect_uris": [5]}, "each URI in redirect_uris"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "each URI in redirect_uris"),
        ({"redirect_uris": ["http://chat.example/cb"]}, "each URI in redirect_uris"),
        ({"redirect_uris": ["https://chat.example/cb#a"]}, "each URI in redirect_uris"),
        ({"redirect_uris": ["https://*.example/cb"]}, "each URI in redirect_uris"),
        ({"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg"),
        ({"subject_type": "pairwise"}, "subject_type is not supported"),
    ],
)
def test_an_invalid_document_is_refused(changes, expected):
    """CI-03, CI-04: the error names the member to change and does not quote the document."""
    with pytest.raises(InvalidDocument, match=expected):
        read(document(**changes))


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"[]", "application/json"),
        (b"{", "application/json"),
        (b"\xff", "application/json"),
        (b'{"a": "' + b"x" * documents.MAX_BYTES + b'"}', "application/json"),
        (json.dumps(document()).encode(), "text/html"),
        (json.dumps(document()).encode(), ""),
    ],
)
def test_a_document_that_is_not_a_json_object_is_refused(body, media_type):
    """CI-08, CI-13: other formats, media types and overlong documents are refused."""
    with pytest.raises(InvalidDocument):
        documents.read(URL, body, media_type)


def test_a_client_with_keys_has_them_in_its_document_or_at_a_url():
    """A document has either `jwks` or `jwks_uri`, and only public keys."""
    method = {"token_endpoint_auth_method": "private_key_jwt"}
    keys = {"keys": [KEY]}
    assert [key["kid"] for key in read(document(**method, jwks=keys)).keys] == ["a"]
    keys_url = f"{URL}/keys"
    assert read(document(**method, jwks_uri=keys_url)).keys_url == keys_url
    assert [key["kid"] for key in documents.read_keys(json.dumps(keys).encode())] == ["a"]
    for wrong in (
        {"jwks": keys, "jwks_uri": keys_url},
        {"jwks_uri": "http://chat.example/keys"},
        {"jwks_uri": 5},
        {"jwks": {"keys": [{**KEY, "d": "AA"}]}},
    ):
        with pytest.raises(InvalidDocument):
            read(document(**method, **wrong))


def test_codes_go_to_the_clients_host_an_allowed_host_or_this_machine():
    """A document cannot send codes to the redirect URI of another client."""
    named = [
        "https://chat.example/cb",
        "https://bank.example/cb",
        "https://chat.example.evil.example/cb",
        "https://friend.example/cb",
        "http://localhost:9/cb",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "com.example.app:/cb",
    ]
    found = read(document(redirect_uris=named))
    assert documents.usable_redirects(found, {"friend.example"}) == (
        named[0],
        *named[3:],
    )


@pytest.mark.parametrize(
    ("headers", "lifetime_ms"),
    [
        ({}, HOUR),
        ({"cache-control": "public, max-age=600"}, 600_000),
        ({"cache-control": "Max-Age=600", "age": "200"}, 400_000),
        ({"cache-control": "max-age=600", "age": "soon"}, 600_000),
        ({"cache-control": "max-age=0"}, 60_000),
        ({"cache-control": "no-store, max-age=600"}, 60_000),
        ({"cache-control": "no-cache"}, 60_000),
        ({"cache-control": "max-age=99999999"}, 24 * HOUR),
        ({"cache-control": "s-maxage=5"}, HOUR),
    ],
)
def test_a_copy_is_fresh_for_as_long_as_its_headers_allow_within_limits(headers, lifetime_ms):
    """CI-06: a copy stays fresh for at least a minute and at most a day."""
    assert documents.fresh_until(headers, NOON) == NOON + lifetime_ms


@pytest.mark.parametrize(
    ("value", "name"),
    [("Chat", "Chat"), ("", None), (5, None), (None, None), ("x" * 200, "x" * 100)],
)
def test_the_name_that_a_client_claims_is_truncated(value, name):
    """The name is only shown as a claim, and is truncated to 100 characters."""
    assert documents.claimed_name(value) == name
