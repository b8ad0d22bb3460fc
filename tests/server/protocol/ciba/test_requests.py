"""The backchannel authentication request and the pace of polls."""

import json

import pytest

from server.protocol import errors
from server.protocol.approvals.states import State
from server.protocol.ciba import requests
from server.protocol.forms import Form

BASE = {"scope": "openid pay", "login_hint": "ann"}


def _form(**changes):
    values = {**BASE, **changes}
    return Form({name: (value,) for name, value in values.items() if value is not None})


def test_every_parameter_of_a_request_is_read():
    """The parameters of CIBA 7.1 for poll mode are parsed."""
    request = requests.parse_request(
        _form(
            resource="https://pay.example",
            authorization_details='[{"type":"t"}]',
            binding_message="INV-1",
            requested_expiry="30",
            acr_values="a b",
        )
    )

    assert request.scope == ("pay",)
    assert request.openid_scope == ("openid",)
    assert request.login_hint == "ann"
    assert request.id_token_hint is None
    assert request.resource == "https://pay.example"
    assert request.details == ({"type": "t"},)
    assert request.binding_message == "INV-1"
    assert request.requested_expiry == 30
    assert request.acr_values == "a b"


def test_an_id_token_hint_replaces_a_login_hint():
    """A request has exactly one hint, which can be an ID token."""
    request = requests.parse_request(_form(login_hint=None, id_token_hint="e.y.J"))

    assert (request.login_hint, request.id_token_hint) == (None, "e.y.J")


@pytest.mark.parametrize(
    "changes",
    [
        {"login_hint": None},
        {"id_token_hint": "x"},
        {"scope": None},
        {"scope": "pay"},
        {"request_uri": "https://x"},
        {"login_hint": "a\x1b[2J"},
        {"login_hint": "a" * 321},
        *(
            {"requested_expiry": value}
            for value in ("0", "-1", "1.5", "abc", "1e9", "01", "1" * 18)
        ),
        *({"acr_values": value} for value in ("a\tb", "é", "a" * 513)),
    ],
)
def test_a_malformed_request_is_invalid_request(changes):
    """CIBA 13: a malformed parameter gives the error invalid_request."""
    with pytest.raises(errors.InvalidRequest):
        requests.parse_request(_form(**changes))


@pytest.mark.parametrize(
    "raw",
    [
        "{}",
        "[]",
        "[1]",
        "[{}]",
        '[{"type":1}]',
        '[{"type":""}]',
        "x",
        '[{"type":"a","type":"b"}]',
        "[" + ",".join(['{"type":"t"}'] * 11) + "]",
    ],
)
def test_malformed_details_are_invalid_authorization_details(raw):
    """RFC 9396 5: details must be a list of one to ten objects, each with a type."""
    with pytest.raises(errors.InvalidAuthorizationDetails):
        requests.read_details(raw)


def test_details_must_fit_in_a_token():
    """The SDK refuses longer tokens, so a person would approve an action that cannot run."""
    largest = json.dumps([{"type": "x", "text": "a" * 20_450}], separators=(",", ":"))
    requests.read_details(largest + " " * (20_480 - len(largest)))
    with pytest.raises(errors.InvalidAuthorizationDetails, match="more than 20480 bytes"):
        requests.read_details(largest + " " * (20_481 - len(largest)))


def test_two_resources_are_invalid_target():
    """A token has one audience, so a request may name only one resource."""
    resources = ("https://a.example", "https://b.example")
    form = Form({"scope": ("openid",), "login_hint": ("ana",), "resource": resources})
    with pytest.raises(errors.InvalidTarget):
        requests.parse_request(form)


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("wait=10", 10),
        ("wait=99", 55),
        ("respond-async, wait=5", 5),
        ('wait="7"', 7),
        ("wait=0", 0),
        ("wait", 0),
        ("wait=abc", 0),
        ("await=9", 0),
        ("wait=12345", 0),
    ],
)
def test_the_preferred_wait_is_read_and_limited(prefer, seconds):
    """RFC 7240 4.3: the `wait` preference is read, up to 55 seconds."""
    assert requests.preferred_wait(prefer) == seconds


@pytest.mark.parametrize(
    ("after", "early"), [(0, True), (4_499, True), (4_500, False), (5_000, False), (60_000, False)]
)
def test_a_poll_half_a_second_early_is_accepted(after, early):
    """A poll is early only if it arrives more than half a second before the interval has passed."""
    assert requests.pace(arrived=100 + after, last=100, interval_ms=5_000).early is early


def test_a_first_poll_is_never_early():
    """CIBA 7.3: the interval is the time between two polls."""
    assert requests.pace(arrived=0, last=None, interval_ms=5_000) == requests.Pace(
        early=False, interval_ms=5_000
    )


@pytest.mark.parametrize(
    ("waited", "seconds"), [(0, "10"), (300, "10"), (1_000, "9"), (60_000, "1")]
)
def test_slow_down_counts_retry_after_from_the_response(waited, seconds):
    """`Retry-After` is rounded up. The response also has the members of a pending one."""
    early = requests.pace(arrived=0, last=0, interval_ms=5_000)
    answer = requests.slow_down(early, waited, {"seen": False})

    assert answer.headers == {"Retry-After": seconds}
    assert answer.members == {"interval": 10, "seen": False}


def test_each_early_poll_adds_five_seconds_up_to_thirty():
    """Early polls increase the interval, and a punctual poll does not reduce it."""
    interval = 5_000
    seen = []
    for _ in range(7):
        interval = requests.pace(arrived=0, last=0, interval_ms=interval).interval_ms
        seen.append(interval)

    assert seen == [10_000, 15_000, 20_000, 25_000, 30_000, 30_000, 30_000]
    assert requests.pace(arrived=30_000, last=0, interval_ms=30_000).interval_ms == 30_000


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (State.PENDING, "authorization_pending"),
        (State.DENIED, "access_denied"),
        (State.EXPIRED, "expired_token"),
        (State.CANCELLED, "access_denied"),
        (State.REDEEMED, "invalid_grant"),
    ],
)
def test_each_state_has_its_own_poll_error(state, code):
    """CIBA 11: each state without a token has its own error code."""
    answer = requests.poll_error(state, {"reason": "expired_seen"})

    assert (answer.code, answer.status) == (code, 400)


def test_an_expired_request_is_not_a_denial_and_may_request_a_retry():
    """If the user wants to be asked again, the description tells the agent to retry."""
    members = {"reason": "expired_unseen"}
    plain = requests.poll_error(State.EXPIRED, members).description
    with_retry = requests.poll_error(State.EXPIRED, {**members, "retry": "wanted"}).description

    assert "not a denial" in plain
    assert "not a denial" in with_retry
    assert with_retry.endswith("wants to be asked again: send the request again.")


@pytest.mark.parametrize(
    "retry", [None, "later", "with_changes", "narrower", "not_before", "never"]
)
def test_a_denial_states_what_the_agent_may_do_next(retry):
    """The agent's model reads the description, so it is plain text that ends with advice."""
    members = {} if retry is None else {"retry": retry}
    text = requests.poll_error(State.DENIED, members).description

    assert text.startswith("The person denied the request. ")
    assert text.endswith(".")


@pytest.mark.parametrize(
    ("acr_values", "pin"),
    [
        ("", False),
        ("urn:sayso:acr:signed-pin", True),
        ("urn:example:gold urn:sayso:acr:signed-pin urn:sayso:acr:signed", True),
        ("urn:sayso:acr:signed urn:sayso:acr:signed-pin", False),
        ("urn:example:gold", False),
    ],
)
def test_the_first_known_acr_value_decides_whether_the_pin_is_required(acr_values, pin):
    """OpenID Connect Core 3.1.2.1: values are in order of preference; unknown ones are skipped."""
    assert requests.wants_pin(acr_values) is pin
