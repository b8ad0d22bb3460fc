"""Client credentials, and the claims of a client assertion."""

import base64
from urllib.parse import quote

import pytest

from server.protocol import errors, names
from server.protocol.clients import client_auth
from server.protocol.forms import Form

NOW = 1_760_000_000_000
SECONDS = NOW // 1000
ISSUER = "https://as.example"
ASSERTION = names.ASSERTION_TYPE


def _form(**values):
    return Form({name: (value,) for name, value in values.items()})


def _basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


def _claims(**changes):
    claims = {
        "iss": "agent",
        "sub": "agent",
        "aud": ISSUER,
        "jti": "1",
        "iat": SECONDS,
        "exp": SECONDS + 60,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def _check(claims):
    return client_auth.check_assertion(claims, client_id="agent", audiences=(ISSUER,), now=NOW)


def test_basic_credentials_are_form_decoded():
    """RFC 6749 2.3.1: client ID and secret are form-encoded inside Basic credentials."""
    read = client_auth.read_credentials(_basic("a%3Ab:s+e%25"), _form())

    assert (read.method, read.client_id, read.secret) == ("client_secret_basic", "a:b", "s e%")


def test_a_client_id_that_matches_basic_credentials_is_accepted():
    """Some clients also send their client_id as a parameter, which must be the same."""
    assert client_auth.read_credentials(_basic("a:b"), _form(client_id="a")).client_id == "a"


def test_post_and_assertion_credentials_are_read():
    """Credentials can be form parameters or a signed assertion."""
    post = client_auth.read_credentials(None, _form(client_id="a", client_secret="s"))
    signed = client_auth.read_credentials(
        None, _form(client_assertion="x.y.z", client_assertion_type=names.ASSERTION_TYPE)
    )

    assert (post.method, post.client_id, post.secret) == ("client_secret_post", "a", "s")
    assert (signed.method, signed.client_id, signed.assertion) == ("private_key_jwt", None, "x.y.z")


@pytest.mark.parametrize(
    ("authorization", "form"),
    [
        (None, {}),
        ("Bearer x", {}),
        ("Basic", {}),
        ("Basic !!!", {}),
        ("Basic " + base64.b64encode(b"\xff:x").decode(), {}),
        ("Basic YTpiYh==", {}),  # the same bytes as YTpiYg==
        (_basic("no colon"), {}),
        (_basic("a%zz:b"), {}),
        (_basic("a%4:b"), {}),
        (_basic("a%ff:b"), {}),
        (_basic("a:b"), {"client_id": "c"}),
        (None, {"client_secret": "s"}),
        (None, {"client_assertion": "x"}),
        (None, {"client_assertion_type": names.ASSERTION_TYPE}),
        (None, {"client_assertion": "x", "client_assertion_type": "other"}),
    ],
)
def test_unreadable_credentials_are_invalid_client(authorization, form):
    """The error is always 401 with a challenge (RFC 9110 15.5.2)."""
    with pytest.raises(errors.InvalidClient) as caught:
        client_auth.read_credentials(authorization, _form(**form))

    assert caught.value.status == 401
    assert caught.value.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("odd", ["a\0", "a\x1b[2J", "a\n", "\x7f", "\u00e9", "\u202e", "a" * 257])
def test_credentials_with_impossible_characters_are_invalid_client(odd):
    """Such credentials are refused before any lookup, because a database may reject them."""
    quoted = quote(odd)
    ways = [
        (_basic(f"{quoted}:s"), _form()),
        (_basic(f"a:{quoted}"), _form()),
        (None, _form(client_id=odd, client_secret="s")),
        (None, _form(client_id="a", client_secret=odd)),
        (None, _form(client_id=odd, client_assertion="x", client_assertion_type=ASSERTION)),
    ]
    for authorization, form in ways:
        with pytest.raises(errors.InvalidClient) as caught:
            client_auth.read_credentials(authorization, form)
        assert caught.value.headers["WWW-Authenticate"].startswith("Basic ")


def test_credentials_of_the_maximum_length_are_read():
    """A client ID and a secret may each have 256 printable characters."""
    longest = "~" * 256
    read = client_auth.read_credentials(None, _form(client_id=longest, client_secret=longest))
    assert (read.client_id, read.secret) == (longest, longest)


def test_two_authentication_methods_in_one_request_are_refused():
    """CIBA 7.2, RFC 6749 2.3: a request may use only one authentication method."""
    with pytest.raises(errors.InvalidRequest):
        client_auth.read_credentials(_basic("a:b"), _form(client_id="a", client_secret="s"))


def test_a_valid_assertion_yields_its_id_and_expiry():
    """Times may have fractions of seconds, and the expiry includes the leeway."""
    token_id, until = _check(_claims(exp=SECONDS + 60.5, nbf=SECONDS + 4))

    assert (token_id, until) == ("1", NOW + 65_500)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": None},
        {"iss": "x"},
        {"sub": "x"},
        {"iss": ["agent"]},
        {"aud": None},
        {"aud": "x"},
        {"aud": [ISSUER]},
        {"aud": [ISSUER, "x"]},
        {"aud": 1},
        {"exp": None},
        {"exp": SECONDS - 6},
        {"exp": str(SECONDS + 60)},
        {"exp": True},
        {"exp": SECONDS + 4_000},
        {"nbf": SECONDS + 6},
        {"nbf": "x"},
        {"iat": SECONDS + 6},
        {"iat": None, "nbf": True},
        {"jti": None},
        {"jti": ""},
        {"jti": 1},
        {"jti": "x" * 257},
    ],
    ids=str,
)
def test_an_invalid_assertion_claim_is_invalid_client(changes):
    """RFC 7523 3, RFC 10070: among others, the audience must be one string, the issuer."""
    with pytest.raises(errors.InvalidClient):
        _check(_claims(**changes))
