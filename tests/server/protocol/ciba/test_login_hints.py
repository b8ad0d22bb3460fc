"""A login_hint_token pins everything that the token exchange requested (CIBA 7.1)."""

from dataclasses import replace

import pytest

from server.protocol import errors
from server.protocol.ciba import login_hint_tokens
from server.protocol.ciba.login_hint_tokens import LoginHint

ISSUER = "https://sayso.example"
DETAILS = ({"type": "payment.transfer", "payee": "Nordwind"},)
HINT = LoginHint(
    token_id="sayso_lh_1",
    agent="sayso_ag_1",
    user="sayso_us_1",
    parent="sayso_at_1",
    resource="https://pay.example",
    scope=("read", "write"),
    details=DETAILS,
    issued_at=1_000,
    expires_at=1_600,
)


def _read(signed, now=1_000_000):
    return login_hint_tokens.parse(signed, issuer=ISSUER, agent="sayso_ag_1", now=now)


@pytest.mark.parametrize(
    "hint",
    [HINT, replace(HINT, details=()), replace(HINT, scope=())],
    ids=["complete", "without details", "without scope"],
)
def test_a_login_hint_token_reads_back_what_was_signed(hint):
    """Reading the claims returns the same hint, even without details or scope."""
    assert _read(login_hint_tokens.claims(hint, ISSUER)) == hint


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://other.example"},
        {"aud": [ISSUER]},
        {"client_id": "sayso_ag_2"},
        {"sub": 1},
        {"parent": None},
        {"scope": ["read"]},
        {"exp": True},
        {"iat": "now"},
        {"authorization_details": {}},
        {"authorization_details": ["x"]},
    ],
)
def test_a_login_hint_for_another_agent_or_with_malformed_claims_is_refused(change):
    """Such a hint is refused even if this server signed it."""
    with pytest.raises(errors.InvalidRequest):
        _read(login_hint_tokens.claims(HINT, ISSUER) | change)


def test_a_login_hint_token_expires():
    """CB-057, CB-182: expiry is exact to the second and has its own CIBA error."""
    signed = login_hint_tokens.claims(HINT, ISSUER)
    assert _read(signed, 1_599_999) == HINT
    with pytest.raises(errors.ExpiredLoginHintToken):
        _read(signed, 1_600_000)


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"resource": "https://pay.example"},
        {"scope": ("write", "read")},
        {"details": DETAILS},
    ],
)
def test_omitted_or_equal_parameters_take_the_hints_values(sent):
    """An agent does not have to repeat what the hint contains."""
    assert _check(HINT, **sent) == DETAILS


@pytest.mark.parametrize(
    "sent",
    [
        {"resource": "https://other.example"},
        {"scope": ("read",)},
        {"scope": ("read", "write", "admin")},
        {"details": ({"type": "payment.transfer", "payee": "Southwind"},)},
    ],
)
def test_parameters_that_differ_from_the_hint_are_refused(sent):
    """The user may be asked only for what the exchange requested."""
    with pytest.raises(errors.InvalidRequest, match="differ"):
        _check(HINT, **sent)


def test_a_request_may_add_details_that_the_hint_lacks():
    """If the exchange had no details, the request may add them."""
    assert _check(replace(HINT, details=()), details=DETAILS) == DETAILS
    assert _check(replace(HINT, details=())) == ()


def _check(hint, resource=None, scope=(), details=()):
    return login_hint_tokens.check_request(hint, resource=resource, scope=scope, details=details)
