"""A login_hint_token fixes everything that the exchange was about (CIBA 7.1)."""

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
    "hint", [HINT, replace(HINT, details=()), replace(HINT, scope=())], ids=["all", "open", "bare"]
)
def test_what_is_signed_is_what_is_read(hint):
    """Nothing is lost on the way, and what was not named stays open."""
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
def test_a_hint_of_somebody_else_or_another_shape_is_refused(change):
    """Even though its signature is ours."""
    with pytest.raises(errors.InvalidRequest):
        _read(login_hint_tokens.claims(HINT, ISSUER) | change)


def test_a_hint_runs_out():
    """CB-057, CB-182: to the second, with the code that CIBA has for it."""
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
def test_what_is_left_out_or_equal_is_the_tokens(sent):
    """An agent need not repeat anything."""
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
def test_what_differs_is_refused(sent):
    """The person is asked for what the exchange was about, and for nothing else."""
    with pytest.raises(errors.InvalidRequest, match="differ"):
        _check(HINT, **sent)


def test_details_that_the_exchange_did_not_name_are_still_open():
    """An exchange that was told which types are needed goes on with them."""
    assert _check(replace(HINT, details=()), details=DETAILS) == DETAILS
    assert _check(replace(HINT, details=())) == ()


def _check(hint, resource=None, scope=(), details=()):
    return login_hint_tokens.check_request(hint, resource=resource, scope=scope, details=details)
