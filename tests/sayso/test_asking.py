"""The requests of the SDK's flows and their timing, step by step and without a socket."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from sayso.asking import Asking
from sayso.challenge import Challenge
from sayso.credentials import Credentials
from sayso.errors import Denied, Expired, Refused, Undeliverable, Unreachable, Withdrawn
from sayso.keys import read_key
from sayso.request_form import details_of
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
    return Asking(ISSUER, Credentials.create("sayso_ag_1", "s3cret", None), **options)


class _FlowDriver:
    """Runs a flow whose responses a test supplies."""

    def __init__(self, flow: Any, *, accepted: Reply | None = None) -> None:
        self._flow = flow
        first = next(flow)
        assert first.url == f"{ISSUER}/.well-known/oauth-authorization-server"
        self.request = flow.send(_reply(200, METADATA))
        self.step = self.request if accepted is None else flow.send(accepted)

    def answer(self, reply: Reply | Exception) -> Any:
        """Return the next step after this response."""
        if isinstance(reply, Exception):
            self.step = self._flow.throw(reply)
        else:
            self.step = self._flow.send(reply)
        return self.step

    def slept(self, reply: Reply | Exception) -> float:
        """Return how many seconds the flow sleeps after this response, or 0."""
        step = self.answer(reply)
        if isinstance(step, Sleep):
            assert isinstance(self.answer(_reply(0, {})), Send)
            return step.seconds
        return 0.0

    def result(self, reply: Reply) -> Any:
        """Return the result of the flow after this last response."""
        with pytest.raises(StopIteration) as stop:
            self._flow.send(reply)
        return stop.value.value


def _waiting_flow(**options: Any) -> _FlowDriver:
    flow = _asking(**options).ask("ana", None, {"scope": "payments:read", "idempotency_key": "k"})
    return _FlowDriver(flow, accepted=_reply(200, ASKED))


def test_a_request_has_the_given_parameters_and_its_key() -> None:
    """The form has exactly the parameters that the caller passed."""
    action = {"type": "payment.transfer", "payee": "N"}
    options: Any = {"scope": "openid payments:transfer", "message": "due", "expires_in": 60}
    sent = _FlowDriver(_asking().ask("ana", action, {**options, "idempotency_key": "k"})).request
    assert sent.headers["Idempotency-Key"] == "k"
    assert sent.headers["Authorization"].startswith("Basic ")
    assert json.loads(sent.form.pop("authorization_details")) == [action]
    assert sent.form == {
        "login_hint": "ana",
        "scope": "openid payments:transfer",
        "binding_message": "due",
        "requested_expiry": "60",
    }


def test_a_poll_asks_to_be_held_and_has_a_longer_timeout() -> None:
    """The timeout must be longer than the time for which the server holds the poll."""
    poll = _waiting_flow().step
    assert poll.headers["Prefer"] == "wait=25"
    assert poll.timeout > 25
    assert poll.headers["Idempotency-Key"] == "k"


@pytest.mark.parametrize(("took", "pause"), [(0.0, 5.0), (2.0, 3.0), (5.0, 0.0), (25.0, 0.0)])
def test_the_time_of_a_poll_counts_toward_the_interval(took: float, pause: float) -> None:
    """The flow sleeps only for the rest of the interval, so a held poll needs no pause."""
    assert _waiting_flow().slept(_reply(400, PENDING, took)) == pause


def test_slow_down_lengthens_the_interval_permanently() -> None:
    """The response's interval is used, or 5 s are added (CIBA, section 11), or `Retry-After`."""
    driven = _waiting_flow()
    assert driven.slept(_reply(400, {"error": "slow_down", "interval": 10}, retry_after="10")) == 10
    assert driven.slept(_reply(400, PENDING)) == 10
    assert driven.slept(_reply(400, {"error": "slow_down"})) == 15
    assert driven.slept(_reply(400, PENDING, retry_after="40")) == 40
    assert driven.slept(_reply(400, PENDING)) == 15


def test_an_overloaded_server_is_polled_again_after_retry_after() -> None:
    """A 503 response is not a decision, so the request still waits."""
    driven = _waiting_flow()
    busy = _reply(503, {"error": "temporarily_unavailable"}, retry_after="7")
    assert driven.slept(busy) == 7
    assert driven.result(_reply(200, TOKENS)).token == "a.b.c"


def test_an_unreachable_server_is_polled_until_the_request_expires() -> None:
    """The time limit starts again after every response of the server."""
    driven = _waiting_flow()
    for _ in range(60):
        assert driven.slept(Unreachable("away")) == 5
    driven.slept(_reply(400, PENDING))
    for _ in range(120):
        assert driven.slept(Unreachable("away")) == 5
    with pytest.raises(Unreachable):
        driven.answer(Unreachable("away"))


def test_the_time_of_an_unanswered_poll_counts() -> None:
    """If the server accepts connections but never answers, the wait ends just as early."""
    driven = _waiting_flow()
    for _ in range(15):
        assert driven.slept(Unreachable("silent", 35)) == 5
    with pytest.raises(Unreachable):
        driven.answer(Unreachable("silent", 35))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 520])
def test_a_server_that_stays_overloaded_ends_the_wait(status: int) -> None:
    """The time starts again after an answer, and the error says to use the same key."""
    driven = _waiting_flow()
    assert driven.slept(_reply(status, {}, 595.0)) == 0
    driven.slept(_reply(400, PENDING))
    assert driven.slept(_reply(status, {}, 595.0)) == 0
    with pytest.raises(Unreachable if status != 429 else Refused, match=f"status {status}"):
        driven.answer(_reply(status, {}, 10.0))


def test_a_page_of_a_proxy_is_not_an_approval() -> None:
    """A sign-in page of a network has status 200 and no JSON."""
    page = _reply(200, {})
    with pytest.raises(Refused, match="answered with status 200 and no error"):
        _FlowDriver(_asking().ask("ana", None, {})).answer(page)
    with pytest.raises(Refused, match="answered with status 200 and no error"):
        _waiting_flow().answer(page)
    with pytest.raises(Refused, match="answered with status 200 and no error"):
        _FlowDriver(_asking().exchange("token", None, {"scope": "bank:pay"})).answer(page)


def test_metadata_is_requested_again_while_the_server_starts() -> None:
    """A proxy responds with 503 before its server is ready; that is not a wrong issuer."""
    flow = _asking().ask("ana", None, {})
    request = next(flow)
    assert flow.send(_reply(503, {})) == Sleep(1.0)
    assert flow.send(_reply(0, {})) == request
    assert flow.send(_reply(200, METADATA)).url == METADATA["backchannel_authentication_endpoint"]


def test_a_lost_request_is_sent_five_times_with_its_key() -> None:
    """The attempts take fifteen seconds, and then the error is raised."""
    driven = _FlowDriver(_asking().ask("ana", None, {}))
    key = driven.request.headers["Idempotency-Key"]
    pauses = [driven.slept(Unreachable("away")) for _ in range(4)]
    assert driven.step.headers["Idempotency-Key"] == key
    assert pauses == [1, 2, 4, 8]
    with pytest.raises(Unreachable):
        driven.answer(Unreachable("away"))


def test_a_proof_is_sent_on_demand_and_once_more_with_a_nonce() -> None:
    """If the server then requires a different nonce, the refusal is raised."""
    driven = _waiting_flow()
    assert "DPoP" not in driven.step.headers
    poll = driven.answer(_reply(400, {"error": "invalid_dpop_proof"}))
    first = poll.headers["DPoP"]
    poll = driven.answer(_reply(400, {"error": "use_dpop_nonce"}, dpop_nonce="n1"))
    assert poll.headers["DPoP"] != first
    with pytest.raises(Refused):
        driven.answer(_reply(400, {"error": "use_dpop_nonce"}, dpop_nonce="n2"))


def test_a_nonce_in_a_response_is_used_for_the_next_proof() -> None:
    """The response is used and is not requested again."""
    driven = _waiting_flow()
    driven.answer(_reply(400, {"error": "invalid_dpop_proof"}))
    assert driven.slept(_reply(400, PENDING, dpop_nonce="n1")) == 5
    assert jwt.decode(driven.step.headers["DPoP"], options=_UNVERIFIED)["nonce"] == "n1"
    assert driven.result(_reply(200, TOKENS, dpop_nonce="n2")).token == "a.b.c"


def test_two_threads_learn_at_the_same_time_that_proofs_are_required() -> None:
    """Each uses the key and the nonce that the other has stored, and neither call is refused."""
    asking = _asking()
    first = _FlowDriver(asking.ask("ana", None, {}))
    second = asking.ask("ana", None, {})
    assert "DPoP" not in next(second).headers
    for error in ("invalid_dpop_proof", "use_dpop_nonce"):
        reply = _reply(400, {"error": error}, dpop_nonce="n1")
        first.answer(reply)
        step = second.send(reply)
    assert jwt.decode(step.headers["DPoP"], options=_UNVERIFIED)["nonce"] == "n1"


def test_a_refused_proof_is_reported_with_the_remedy() -> None:
    """After the second refusal, no third proof is sent; the error says to check the clock."""
    driven = _waiting_flow()
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
        ({"error": "invalid_client"}, Refused, ["clock of this machine"]),
    ],
)
def test_each_outcome_has_its_error_which_says_what_to_do(
    body: dict[str, str], kind: type[Exception], words: list[str]
) -> None:
    """A model reads the text: it is one line, and a user's note stays quoted."""
    with pytest.raises(kind) as raised:
        _waiting_flow().answer(_reply(400, body))
    text = str(raised.value)
    assert type(raised.value) is kind
    assert [word for word in words if word not in text] == []
    assert text.isprintable()


def test_a_refusal_before_anyone_is_asked_is_not_a_denial() -> None:
    """A 403 for a rule or a limit raises Refused, so `except Denied` does not catch it."""
    driven = _FlowDriver(_asking().ask("ana", None, {}))
    body = {"error": "access_denied", "reason": "policy_denied", "error_description": "A rule."}
    with pytest.raises(Refused) as refused:
        driven.answer(_reply(403, body))
    assert (refused.value.error, refused.value.reason) == ("access_denied", "policy_denied")


@pytest.mark.parametrize(
    ("description", "text"),
    [
        ("binding_message has a tab.", "message has a tab. (invalid_request)"),
        ("requested_expiry must be positive.", "expires_in must be positive. (invalid_request)"),
        ("login_hint is missing.", "user is missing. (invalid_request)"),
        ("login_hint_token is old.", "login_hint_token is old. (invalid_request)"),
        ("Idempotency-Key is too long.", "idempotency_key is too long. (invalid_request)"),
    ],
)
def test_a_refused_parameter_is_named_like_the_argument(description: str, text: str) -> None:
    """Callers of `ask` do not know the names in the request that Sayso receives."""
    driven = _FlowDriver(_asking().ask("ana", None, {"message": "\t"}))
    with pytest.raises(Refused) as refused:
        driven.answer(_reply(400, {"error": "invalid_request", "error_description": description}))
    assert str(refused.value) == text


def test_an_exchange_without_required_details_names_their_type() -> None:
    """The error is raised before anyone is asked."""
    driven = _FlowDriver(_asking().exchange("token", None, {"scope": "bank:pay"}))
    members = {"login_hint_token": "t", "authorization_details_types": ["payment.order"]}
    with pytest.raises(Refused, match=r"payment\.order"):
        driven.answer(_reply(400, {"error": "interaction_required", **members}))


def test_a_server_with_a_different_issuer_is_refused() -> None:
    """The credentials are not sent to it (RFC 8414, section 3.3)."""
    flow = _asking().ask("ana", None, {})
    next(flow)
    with pytest.raises(Refused, match=r"https://other\.example"):
        flow.send(_reply(200, {**METADATA, "issuer": "https://other.example"}))


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://sayso.example", "issuer must be an https URL"),
        ("https://", "issuer must be an https URL"),
        ("sayso.example", "issuer must be an https URL"),
        ("https://sayso.example/", "issuer must not have"),
        ("https://sayso.example:99999", "issuer is not a valid URL.*Port out of range"),
        ("http://localhost:port", "issuer is not a valid URL.*Port"),
        ("https://[::1", "issuer is not a valid URL.*IPv6"),
    ],
)
def test_an_invalid_issuer_is_refused_immediately(url: str, error: str) -> None:
    """Plain HTTP is accepted only for this machine."""
    with pytest.raises(ValueError, match=error):
        Asking(url, Credentials.create("id", "secret", None))


@pytest.mark.parametrize("action", [{"payee": "N"}, [{"type": "a"}, {}], {"type": 1}])
def test_an_action_without_a_type_is_refused_before_it_is_sent(action: Any) -> None:
    """The error names the missing member."""
    with pytest.raises(ValueError, match="type is missing"):
        details_of(action)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "Out of range float"),
        ([{"rate": float("inf")}], "Out of range float"),
        (Decimal("4.20"), "Decimal is not JSON serializable"),
    ],
)
def test_a_fact_that_is_not_json_is_refused_by_name(value: Any, reason: str) -> None:
    """NaN and infinity are not JSON, although Python writes and reads them."""
    action = {"type": "payment.transfer", "amount": value}
    for details in (action, [action], Challenge([action], "https://pay.example")):
        with pytest.raises(ValueError, match=f"amount in the action.*{reason}"):
            details_of(details)


@pytest.mark.parametrize("action", ["pay 5", [1], 5, True])
def test_an_action_that_is_not_an_object_is_refused(action: Any) -> None:
    """The error says what an action must be."""
    with pytest.raises(ValueError, match="an object or a list of objects"):
        details_of(action)


@pytest.mark.parametrize("scope", [["read"], None])
def test_the_scope_must_be_a_string(scope: Any) -> None:
    """A list would be sent in its Python notation."""
    with pytest.raises(ValueError, match="scope must be a string"):
        next(_asking().ask("ana", None, {"scope": scope}))


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"idempotency": "INV-1"}, "no option idempotency. The options are: acr_values,"),
        ({"idempotency_key": "Zahlung für März"}, "idempotency_key must be"),
        ({"idempotency_key": "a\nb"}, "idempotency_key must be"),
        ({"idempotency_key": 2291}, "idempotency_key must be"),
        ({"acr_values": ["urn:sayso:acr:signed-pin"]}, "acr_values must be a string"),
        ({"expires_in": 2.5}, "expires_in must be a whole number"),
    ],
)
def test_a_wrong_option_is_refused_before_anyone_is_asked(options: Any, error: str) -> None:
    """If a misspelled key were ignored, a repeated call would ask twice."""
    with pytest.raises((TypeError, ValueError), match=error):
        next(_asking().ask("ana", None, options))


def test_an_option_that_is_none_is_not_sent() -> None:
    """The person would read the word None as the agent's own message."""
    options: Any = {"message": None, "resource": None, "expires_in": None, "risk": None}
    sent = _FlowDriver(_asking().ask("ana", None, options)).request
    assert sent.form == {"login_hint": "ana", "scope": "openid"}


@pytest.mark.parametrize(
    ("user", "action", "member"),
    [("\ud83d", None, "user"), ("ana", {"type": "\ud83d"}, "authorization_details")],
)
def test_a_lone_surrogate_is_refused_with_its_parameter(
    user: str, action: Any, member: str
) -> None:
    """A model can cut an emoji in half. Callers of `ask` expect a ValueError."""
    with pytest.raises(ValueError, match=f"{member} has a character that is not valid Unicode"):
        next(_asking().ask(user, action, {}))


@pytest.mark.parametrize("given", [{}, {"secret": "s", "key": "k"}])
def test_credentials_are_either_a_secret_or_a_key(given: dict[str, str]) -> None:
    """Neither or both are refused, and so is a secret that is empty or has a line break."""
    with pytest.raises(ValueError, match="secret= or key="):
        Credentials.create("id", given.get("secret"), given.get("key"))
    with pytest.raises(ValueError, match="secret is empty"):
        Credentials.create("id", "", None)
    with pytest.raises(ValueError, match="secret begins or ends with white space"):
        Credentials.create("id", "secret\n", None)


def test_an_invalid_private_key_is_refused_with_the_valid_forms() -> None:
    """The error is one of the SDK and not of the cryptography library."""
    for source in ("-----BEGIN NOTHING-----", '{"kty": "EC"', '{"kty": "oct", "k": "AA"}'):
        with pytest.raises(ValueError, match="private key"):
            Credentials.create("id", None, source)


@pytest.mark.parametrize("alg", [None, "EdDSA", "Ed25519"])
def test_a_jwk_may_name_its_algorithm_in_both_ways(alg: str | None) -> None:
    """RFC 9864 calls EdDSA with this curve Ed25519, and so do keys of newer programs."""
    jwk = {**OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True), "alg": alg}
    signing_key = read_key({name: value for name, value in jwk.items() if value})
    assert (
        jwt.decode_complete(signing_key.sign({}), options=_UNVERIFIED)["header"]["alg"] == "EdDSA"
    )
