"""The required claims of a signed request, and how it is turned into parameters."""

import pytest

from server.protocol import errors
from server.protocol.ciba import request_objects
from server.protocol.forms import Form
from tests.support.inputs.handmade_jwts import request_claims

NOW = 1_800_000_000_000
AGENT, ISSUER = "sayso_ag_a", "https://as.example"


def _check(**changes):
    claims = request_claims(AGENT, ISSUER, NOW, **changes)
    return request_objects.check(claims, client_id=AGENT, issuer=ISSUER, now=NOW)


def test_a_signed_request_is_accepted_once_until_it_expires():
    """The check returns the request's ID and how long it could be replayed."""
    assert _check(jti="once") == ("once", NOW + 305_000)
    assert _check(jti="a", client_id=AGENT, aud=["https://x.example", ISSUER], sub="ana")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": None},
        {"iss": "sayso_ag_b"},
        {"client_id": "sayso_ag_b"},
        {"aud": None},
        {"aud": "https://other.example"},
        {"aud": ["https://other.example"]},
        {"aud": [ISSUER, 5]},
        {"sub": AGENT},
        {"request": "x"},
        {"request_uri": "https://x"},
        {"exp": None},
        {"exp": True},
        {"exp": "soon"},
        {"exp": NOW // 1000 - 5},
        {"exp": NOW // 1000 + 3_601},
        {"exp": NOW // 1000 + 1_801, "nbf": NOW // 1000 - 1_800},
        {"iat": None},
        {"iat": NOW // 1000 + 6},
        {"nbf": None},
        {"nbf": NOW // 1000 + 6},
        {"nbf": NOW // 1000 - 3_601},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
        {"jti": "a" * 257},
    ],
)
def test_a_missing_or_wrong_claim_is_refused(changes):
    """CIBA 7.1.1: all required claims must be present and correct."""
    with pytest.raises(errors.InvalidRequest):
        _check(**changes)


def test_exactly_the_request_claims_become_parameters():
    """Other claims are dropped, numbers become strings, and empty claims count as absent."""
    form = request_objects.to_form(
        {
            "iss": AGENT,
            "client_secret": "x",
            "scope": "openid",
            "login_hint": "",
            "requested_expiry": 30,
            "authorization_details": [{"type": "é"}],
            "resource": ["https://a", "https://b"],
        }
    )
    assert form.values == {
        "scope": ("openid",),
        "requested_expiry": ("30",),
        "authorization_details": ('[{"type": "é"}]',),
        "resource": ("https://a", "https://b"),
    }
    assert request_objects.to_form({"requested_expiry": "30"}).get("requested_expiry") == "30"


@pytest.mark.parametrize(
    "claims",
    [
        {"scope": 5},
        {"scope": ["openid"]},
        {"login_hint": None},
        {"login_hint": "a\0b"},
        {"requested_expiry": 1.5},
        {"requested_expiry": True},
        {"authorization_details": {"type": "x"}},
        {"resource": ["https://a", 5]},
    ],
)
def test_a_parameter_of_the_wrong_type_is_refused(claims):
    """Values of the wrong type are not converted."""
    with pytest.raises(errors.InvalidRequest, match="type"):
        request_objects.to_form(claims)


def test_parameters_outside_a_signed_request_are_refused():
    """Unsigned request parameters are refused, not ignored; client authentication is allowed."""
    request_objects.reject_unsigned_parameters(
        Form({"request": ("x",), "client_id": ("a",), "foo": ("b",)})
    )
    with pytest.raises(errors.InvalidRequest, match="inside"):
        request_objects.reject_unsigned_parameters(
            Form({"request": ("x",), "login_hint": ("ana",)})
        )
