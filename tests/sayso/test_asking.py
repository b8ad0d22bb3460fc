"""What an agent sends and when, without a socket: the flows of the SDK, step by step."""

import json
from collections.abc import Mapping
from typing import Any

import jwt
import pytest

from sayso.asking import Asking, details_of
from sayso.credentials import Credentials
from sayso.errors import Denied, Expired, Refused, Undeliverable, Unreachable, Withdrawn
from sayso.transport import Reply, Send, Sleep

ISSUER = "https://sayso.example"
METADATA = {
    "issuer": ISSUER,
    "token_endpoint": f"{ISSUER}/token",
    "backchannel_authentication_endpoint": f"{ISSUER}/bc-authorize",
}
ASKED = {"auth_req_id": "h", "expires_in": 600, "interval": 5, "fingerprint": "9f3a-71c0"}
_UNVERIFIED: Any = {"verify_signature": False}
PENDING = {"error": "authorization_pending"}
TOKENS = {"access_token": "a.b.c", "token_type": "Bearer", "expires_in": 300, "scope": "openid"}


def _reply(status: int, body: Mapping[str, Any], seconds: float = 0.0, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, named, body, seconds)


def _asking(**options: Any) -> Asking:
    return Asking(ISSUER, Credentials.of("sayso_ag_1", "s3cret", None), **options)


class _Driven:
    """A flow that is answered by hand; `steps` is what it wanted after the request was accepted."""

    def __init__(self, flow: Any, *, accepted: Reply | None = None) -> None:
        self._flow = flow
        first = next(flow)
        assert first.url == f"{ISSUER}/.well-known/oauth-authorization-server"
        self.request = flow.send(_reply(200, METADATA))
        self.step = self.request if accepted is None else flow.send(accepted)

    def answer(self, reply: Reply | Exception) -> Any:
        """The next step, after this answer to the last."""
        if isinstance(reply, Exception):
            self.step = self._flow.throw(reply)
        else:
            self.step = self._flow.send(reply)
        return self.step

    def slept(self, reply: Reply | Exception) -> float:
        """How long the flow sleeps after this answer, before it sends again; 0 for not at all."""
        step = self.answer(reply)
        if isinstance(step, Sleep):
            assert isinstance(self.answer(_reply(0, {})), Send)
            return step.seconds
        return 0.0

    def result(self, reply: Reply) -> Any:
        """What it returns after this answer."""
        with pytest.raises(StopIteration) as stop:
            self._flow.send(reply)
        return stop.value.value


def _waiting(**options: Any) -> _Driven:
    flow = _asking(**options).ask("ana", None, {"scope": "payments:read", "idempotency_key": "k"})
    return _Driven(flow, accepted=_reply(200, ASKED))


def test_a_request_names_user_scope_and_details_and_its_key() -> None:
    """The server's own parameters, and nothing that was not said."""
    action = {"type": "payment.transfer", "payee": "N"}
    options: Any = {"scope": "openid payments:transfer", "message": "due", "expires_in": 60}
    sent = _Driven(_asking().ask("ana", action, {**options, "idempotency_key": "k"})).request
    assert sent.headers["Idempotency-Key"] == "k"
    assert sent.headers["Authorization"].startswith("Basic ")
    assert json.loads(sent.form.pop("authorization_details")) == [action]
    assert sent.form == {
        "login_hint": "ana",
        "scope": "openid payments:transfer",
        "binding_message": "due",
        "requested_expiry": "60",
    }


def test_a_poll_asks_to_be_held_and_has_time_for_it() -> None:
    """The time-out of the call is longer than the wait."""
    poll = _waiting().step
    assert poll.headers["Prefer"] == "wait=25"
    assert poll.timeout > 25
    assert poll.headers["Idempotency-Key"] == "k"


@pytest.mark.parametrize(("took", "pause"), [(0.0, 5.0), (2.0, 3.0), (5.0, 0.0), (25.0, 0.0)])
def test_the_next_poll_comes_an_interval_after_the_last_was_sent(took: float, pause: float) -> None:
    """Whether the server holds polls or not is seen by how long they take."""
    assert _waiting().slept(_reply(400, PENDING, took)) == pause


def test_slow_down_makes_the_interval_longer_for_good() -> None:
    """The answer's interval counts, else five seconds more (CIBA 11); `Retry-After` counts too."""
    driven = _waiting()
    assert driven.slept(_reply(400, {"error": "slow_down", "interval": 10}, retry_after="10")) == 10
    assert driven.slept(_reply(400, PENDING)) == 10
    assert driven.slept(_reply(400, {"error": "slow_down"})) == 15
    assert driven.slept(_reply(400, PENDING, retry_after="40")) == 40
    assert driven.slept(_reply(400, PENDING)) == 15


def test_an_overloaded_server_is_asked_again_when_it_says() -> None:
    """503 is no answer to the request; it waits on."""
    driven = _waiting()
    busy = _reply(503, {"error": "temporarily_unavailable"}, retry_after="7")
    assert driven.slept(busy) == 7
    assert driven.result(_reply(200, TOKENS)).token == "a.b.c"


def test_a_server_that_is_away_is_polled_for_as_long_as_the_request_lives() -> None:
    """Ten minutes at five seconds; an answer in between starts the count again."""
    driven = _waiting()
    for _ in range(60):
        assert driven.slept(Unreachable("away")) == 5
    driven.slept(_reply(400, PENDING))
    for _ in range(120):
        assert driven.slept(Unreachable("away")) == 5
    with pytest.raises(Unreachable):
        driven.answer(Unreachable("away"))


def test_a_lost_request_is_sent_again_under_its_key_and_then_given_up() -> None:
    """Five times in fifteen seconds; the error says that the same key may be used again."""
    driven = _Driven(_asking().ask("ana", None, {}))
    key = driven.request.headers["Idempotency-Key"]
    pauses = [driven.slept(Unreachable("away")) for _ in range(4)]
    assert driven.step.headers["Idempotency-Key"] == key
    assert pauses == [1, 2, 4, 8]
    with pytest.raises(Unreachable):
        driven.answer(Unreachable("away"))


def test_a_proof_is_made_when_the_server_wants_one_and_again_for_its_nonce() -> None:
    """Each happens once; a server that wants yet another nonce gets its refusal reported."""
    driven = _waiting()
    assert "DPoP" not in driven.step.headers
    poll = driven.answer(_reply(400, {"error": "invalid_dpop_proof"}))
    first = poll.headers["DPoP"]
    poll = driven.answer(_reply(400, {"error": "use_dpop_nonce"}, dpop_nonce="n1"))
    assert poll.headers["DPoP"] != first
    with pytest.raises(Refused):
        driven.answer(_reply(400, {"error": "use_dpop_nonce"}, dpop_nonce="n2"))


def test_an_answer_that_brings_a_nonce_for_next_time_is_an_answer() -> None:
    """It is not asked for again; the next proof has the nonce."""
    driven = _waiting()
    driven.answer(_reply(400, {"error": "invalid_dpop_proof"}))
    assert driven.slept(_reply(400, PENDING, dpop_nonce="n1")) == 5
    assert jwt.decode(driven.step.headers["DPoP"], options=_UNVERIFIED)["nonce"] == "n1"
    assert driven.result(_reply(200, TOKENS, dpop_nonce="n2")).token == "a.b.c"


def test_a_proof_that_does_not_count_is_reported_with_the_remedy() -> None:
    """The second refusal of a proof is not answered with a third."""
    driven = _waiting()
    driven.answer(_reply(400, {"error": "invalid_dpop_proof"}))
    with pytest.raises(Refused, match="clock"):
        driven.answer(_reply(400, {"error": "invalid_dpop_proof"}))


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (
            {"error": "access_denied", "reason": "denied", "retry": "never"},
            Denied,
            ["Do not ask again", "another way"],
        ),
        (
            {"error": "access_denied", "reason": "denied", "note": 'Wrong "account"\u202e\nnow'},
            Denied,
            ['"Wrong \\"account\\" now"', "unchanged"],
        ),
        (
            {
                "error": "access_denied",
                "reason": "denied",
                "retry": "not_before",
                "retry_at": "2026-12-01T00:00:00Z",
            },
            Denied,
            ["before 2026-12-01T00:00:00Z"],
        ),
        (
            {
                "error": "access_denied",
                "reason": "denied",
                "retry": "redirected",
                "login_hint": "eva",
            },
            Denied,
            ["Ask eva instead"],
        ),
        ({"error": "access_denied", "reason": "superseded"}, Withdrawn, ["newer"]),
        ({"error": "access_denied", "reason": "locked"}, Withdrawn, ["wrong entries"]),
        ({"error": "expired_token", "reason": "expired_seen"}, Expired, ["not a denial", "opened"]),
        (
            {"error": "expired_token", "reason": "expired_unseen", "retry": "wanted"},
            Expired,
            ["wants you to ask again"],
        ),
        ({"error": "expired_token", "reason": "no_device"}, Undeliverable, ["no device"]),
        ({"error": "invalid_grant"}, Refused, ["new idempotency_key"]),
    ],
)
def test_each_end_has_its_error_and_says_what_to_do(
    body: dict[str, str], kind: type[Exception], words: list[str]
) -> None:
    """A model reads it: one line; a note of a person stays a quotation."""
    with pytest.raises(kind) as found:
        _waiting().answer(_reply(400, body))
    text = str(found.value)
    assert type(found.value) is kind
    assert [word for word in words if word not in text] == []
    assert text.isprintable()


def test_a_refusal_before_anyone_is_asked_is_no_denial() -> None:
    """403: a rule or a limit. Whoever catches denials does not catch it."""
    driven = _Driven(_asking().ask("ana", None, {}))
    body = {"error": "access_denied", "reason": "policy_denied", "error_description": "A rule."}
    with pytest.raises(Refused) as found:
        driven.answer(_reply(403, body))
    assert (found.value.error, found.value.reason) == ("access_denied", "policy_denied")


def test_an_exchange_without_the_details_that_a_person_needs_names_the_type() -> None:
    """The error comes before anyone is asked."""
    driven = _Driven(_asking().exchange("token", None, {"scope": "bank:pay"}))
    wanted = {"login_hint_token": "t", "authorization_details_types": ["payment.order"]}
    with pytest.raises(Refused, match=r"payment\.order"):
        driven.answer(_reply(400, {"error": "interaction_required", **wanted}))


def test_a_server_that_is_another_issuer_is_not_believed() -> None:
    """The credentials are not sent to it (RFC 8414 3.3)."""
    flow = _asking().ask("ana", None, {})
    next(flow)
    with pytest.raises(Refused, match=r"https://other\.example"):
        flow.send(_reply(200, {**METADATA, "issuer": "https://other.example"}))


@pytest.mark.parametrize("url", ["http://sayso.example", "https://sayso.example/", "sayso.example"])
def test_an_issuer_that_cannot_be_right_is_refused_at_once(url: str) -> None:
    """Plain http goes nowhere but to this machine."""
    with pytest.raises(ValueError, match="issuer must"):
        Asking(url, Credentials.of("id", "secret", None))


@pytest.mark.parametrize("action", [{"payee": "N"}, [{"type": "a"}, {}], {"type": 1}])
def test_an_action_without_a_type_is_refused_before_it_is_sent(action: Any) -> None:
    """The error names the member."""
    with pytest.raises(ValueError, match="type is missing"):
        details_of(action)


@pytest.mark.parametrize("action", ["pay 5", [1]])
def test_an_action_that_is_no_object_is_refused(action: Any) -> None:
    """The error says what it must be."""
    with pytest.raises(ValueError, match="an object or a list of objects"):
        details_of(action)


@pytest.mark.parametrize("scope", [["read"], None])
def test_scopes_are_one_string(scope: Any) -> None:
    """A list would be sent as its text in Python."""
    with pytest.raises(ValueError, match="scope must be a string"):
        next(_asking().ask("ana", None, {"scope": scope}))


@pytest.mark.parametrize("given", [{}, {"secret": "s", "key": "k"}])
def test_credentials_are_one_of_two(given: dict[str, str]) -> None:
    """They are a secret or a key."""
    with pytest.raises(ValueError, match="secret= or key="):
        Credentials.of("id", given.get("secret"), given.get("key"))
    with pytest.raises(ValueError, match="secret is empty"):
        Credentials.of("id", "", None)


def test_what_is_no_private_key_is_refused_with_what_would_be() -> None:
    """The error is not one of the library."""
    with pytest.raises(ValueError, match="private key"):
        Credentials.of("id", None, "-----BEGIN NOTHING-----")
