"""The SDK's guard against tokens of every kind, with an issuer whose keys the test holds."""

import base64
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from sayso import ApprovalRequired, Challenge, Guard, Misconfigured, Rejected, jwks
from tests.support.fakes.issuer import AGENT, API, ISSUER, USER, FakeIssuer
from tests.support.inputs import dpop_proofs
from tests.support.inputs.handmade_jwts import by_hand, new_key, with_secret

CREDENTIALS = ("sayso_rs_1", "s3cret")
PAYMENT = {"type": "payment.transfer", "amount": {"minor": 100, "currency": "EUR"}}
_PAST, _FUTURE = 1_000_000_000, 4_000_000_000
"""Seconds; the names of tests must be the same in each process."""
APPROVAL = {"id": "sayso_ap_1", "action_digest": "a", "granted_digest": "g", "single_use": True}


@pytest.fixture
def issuer() -> FakeIssuer:
    """An issuer with one key."""
    return FakeIssuer()


@pytest.fixture
def guard(issuer: FakeIssuer) -> Iterator[Guard]:
    """A guard of the payment API that verifies signatures alone."""
    with issuer.http as http:
        yield Guard(ISSUER, API, credentials=CREDENTIALS, http=http)


def _refused(guard: Guard, authorization: str | None, **call: Any) -> Rejected:
    with pytest.raises(Rejected) as found:
        guard.check(authorization, **call)
    return found.value


def test_a_good_token_says_who_calls_for_whom(issuer: FakeIssuer, guard: Guard) -> None:
    """The user, the agent that acts now, and those before it."""
    act = {"sub": AGENT, "act": {"sub": "sayso_ag_front"}}
    caller = guard.check(f"Bearer {issuer.token(act=act)}")
    assert (caller.user, caller.agent) == (USER, AGENT)
    assert caller.chain == (AGENT, "sayso_ag_front")
    assert (caller.scope, caller.approval) == ({"payments:read"}, None)


@pytest.mark.parametrize(
    ("claims", "user", "agent"),
    [
        ({"sub": AGENT, "act": None}, None, AGENT),
        ({"client_id": "sayso_app", "act": None}, USER, None),
    ],
)
def test_an_agent_for_itself_and_an_app_of_a_person_are_told_apart(
    issuer: FakeIssuer, guard: Guard, claims: Any, user: str | None, agent: str | None
) -> None:
    """Nobody is named who is not there."""
    caller = guard.check(f"Bearer {issuer.token(**claims)}")
    assert (caller.user, caller.agent) == (user, agent)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://other.example"},
        {"aud": [API]},
        {"aud": [API, "https://other.example"]},
        {"aud": None},
        {"iss": "https://other.example"},
        {"iss": f"{ISSUER}/"},
        {"iss": None},
        {"exp": _PAST},
        {"exp": None},
        {"exp": "soon"},
        {"exp": float("inf")},
        {"exp": True},
        {"iat": None},
        {"nbf": "now"},
        {"iat": _FUTURE},
        {"nbf": _FUTURE},
        {"sub": None},
        {"sub": 1},
        {"client_id": None},
        {"client_id": 1},
        {"jti": None},
        {"act": "sayso_ag_bot"},
        {"act": {"sub": 1}},
        {"scope": ["payments:read"]},
        {"authorization_details": {"type": "x"}},
        {"authorization_details": ["x"]},
        {"approval": {"id": "x"}},
        {"cnf": {}},
        {"cnf": {"jkt": 1}},
        {"cnf": {"x5t#S256": "x"}},
        {"cnf": "x"},
    ],
    ids=str,
)
def test_a_token_with_wrong_claims_is_refused(
    issuer: FakeIssuer, guard: Guard, changes: dict[str, Any]
) -> None:
    """Signed by the issuer, and still not for this call."""
    refused = _refused(guard, f"Bearer {issuer.token(**changes)}")
    assert (refused.status, refused.error) == (401, "invalid_token")
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": None},
        {"typ": "dpop+jwt"},
        {"typ": "token-introspection+jwt"},
        {"typ": "sayso-login-hint+jwt"},
        {"kid": None},
        {"kid": "../other"},
        {"jku": "https://evil.example/jwks"},
        {"crit": ["x"], "x": 1},
    ],
    ids=str,
)
def test_a_token_with_another_header_is_refused(
    issuer: FakeIssuer, guard: Guard, header: dict[str, Any]
) -> None:
    """An ID token, a hint or an introspection of the same key is no access token (RFC 9068 4)."""
    assert guard.check(f"Bearer {issuer.token()}").user == USER
    refused = _refused(guard, f"Bearer {issuer.token(header=header)}")
    assert (refused.status, refused.error) == (401, "invalid_token")


def test_a_token_that_holds_no_claims_is_refused(issuer: FakeIssuer, guard: Guard) -> None:
    """A list, a text and nothing are refused even if the issuer signed them."""
    for payload in (b"[]", b'"x"', b"", b"[" * 5_000):
        signed = issuer.keys[0].sign(payload, typ="at+jwt")
        assert _refused(guard, f"Bearer {signed}").error == "invalid_token"


def test_a_token_by_nobody_or_by_another_is_refused(issuer: FakeIssuer, guard: Guard) -> None:
    """`none`, the public key as a secret, another key under the same kid, a changed payload."""
    good = issuer.token()
    guard.check(f"Bearer {good}")
    ours = issuer.keys[0]
    other = new_key("ES256")
    head, payload, signature = good.split(".")
    forged = [
        by_hand({"typ": "at+jwt", "kid": ours.kid, "alg": "none"}, _claims(payload)),
        with_secret({"typ": "at+jwt", "kid": ours.kid, "alg": "HS256"}, _claims(payload), ours.pem),
        issuer.token(other, header={"kid": ours.kid}),
        issuer.token(new_key("RS256"), header={"kid": ours.kid}),
        f"{head}.{_changed(payload)}.{signature}",
        f"{head}.{payload}.",
        f"{head}.{payload}.{signature}A",
        f"{head}.{payload}.{signature}==",
        f"{head}.{payload}",
        good + "A" * 20_000,
        "x",
    ]
    errors = {_refused(guard, f"Bearer {one}").error for one in forged}
    assert errors == {"invalid_token"}


@pytest.mark.parametrize(
    "alg", [pytest.param(name, id=name) for name in ("ES256", "EdDSA", "RS256")]
)
def test_a_key_of_each_algorithm_verifies(alg: str) -> None:
    """A key whose JWK names an algorithm outside the list does not verify."""
    issuer = FakeIssuer([new_key(alg)])
    with issuer.http as http:
        assert Guard(ISSUER, API, http=http).check(f"Bearer {issuer.token()}").user == USER


def test_an_algorithm_that_is_not_on_the_list_is_refused() -> None:
    """PS256 is a good algorithm that Sayso does not sign with."""
    issuer = FakeIssuer([new_key("PS256")])
    with issuer.http as http:
        assert _refused(Guard(ISSUER, API, http=http), f"Bearer {issuer.token()}").status == 401


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic eDp5", "token"])
def test_a_call_without_a_token_is_told_where_to_get_one(
    guard: Guard, authorization: str | None
) -> None:
    """The challenge has no error code, but the metadata's address (RFC 9728 5.1)."""
    refused = _refused(guard, authorization)
    assert refused.status == 401
    challenge = refused.headers["WWW-Authenticate"]
    assert f'resource_metadata="{API}/.well-known/oauth-protected-resource"' in challenge
    assert "error=" not in challenge


def test_keys_are_fetched_once(issuer: FakeIssuer, guard: Guard) -> None:
    """The number of tokens does not matter."""
    for _ in range(20):
        guard.check(f"Bearer {issuer.token()}")
    assert issuer.asked.count("/jwks") == 1


def test_a_new_key_is_found_and_unknown_ones_do_not_make_us_ask_again_and_again(
    issuer: FakeIssuer, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One fetch for an unknown kid, then none for ten seconds."""
    now = [1_000.0]
    monkeypatch.setattr(jwks.time, "monotonic", lambda: now[0])
    guard.check(f"Bearer {issuer.token()}")
    now[0] += 11
    issuer.keys.insert(0, new_key("ES256", "second"))
    assert guard.check(f"Bearer {issuer.token()}").user == USER
    assert issuer.asked.count("/jwks") == 2
    stranger = new_key("ES256", "stranger")
    for _ in range(50):
        _refused(guard, f"Bearer {issuer.token(stranger)}")
    assert issuer.asked.count("/jwks") == 2
    now[0] += 11
    _refused(guard, f"Bearer {issuer.token(stranger)}")
    assert issuer.asked.count("/jwks") == 3


def test_a_key_that_the_issuer_took_away_ends_after_five_minutes(
    issuer: FakeIssuer, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys are fetched again although the kid is known."""
    now = [1_000.0]
    monkeypatch.setattr(jwks.time, "monotonic", lambda: now[0])
    token = issuer.token()
    guard.check(f"Bearer {token}")
    issuer.keys = [new_key("ES256", "second")]
    guard.check(f"Bearer {token}")
    now[0] += 301
    assert _refused(guard, f"Bearer {token}").error == "invalid_token"


def test_an_issuer_that_is_away_stops_nobody_for_an_hour_and_then_everybody(
    issuer: FakeIssuer, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known keys go on; without keys nothing is let through."""
    now = [1_000.0]
    monkeypatch.setattr(jwks.time, "monotonic", lambda: now[0])
    guard.check(f"Bearer {issuer.token()}")
    issuer.away = True
    now[0] += 3_000
    assert guard.check(f"Bearer {issuer.token()}").user == USER
    now[0] += 700
    assert _refused(guard, f"Bearer {issuer.token()}").status == 503


def test_another_spelling_of_the_issuer_is_named_and_not_taken_for_an_outage() -> None:
    """To try again would never help."""
    issuer = FakeIssuer()
    with issuer.http as http, pytest.raises(Misconfigured, match=f"is {ISSUER}. Use that issuer"):
        Guard("https://127.0.0.1", API, http=http).check(f"Bearer {issuer.token()}")


@pytest.mark.parametrize("details", ["x", {"payee": "N"}, ["x"]])
def test_details_that_are_none_are_the_callers_mistake(
    issuer: FakeIssuer, guard: Guard, details: Any
) -> None:
    """An API passes on what it received: that is no failure of the API."""
    token = issuer.token(approval=APPROVAL, authorization_details=[PAYMENT])
    with pytest.raises(Rejected, match="action") as refused:
        guard.consume(guard.check(f"Bearer {token}"), details)
    assert (refused.value.status, refused.value.error) == (400, "invalid_request")


def test_many_first_calls_at_once_fetch_the_keys_once(issuer: FakeIssuer, guard: Guard) -> None:
    """Those who come second wait for the first, and none is refused."""
    answer = issuer.answer

    def slow(request: httpx.Request) -> httpx.Response:
        time.sleep(0.05)
        return answer(request)

    guard._http = httpx.Client(transport=httpx.MockTransport(slow))
    with ThreadPoolExecutor(8) as threads:
        users = list(threads.map(guard.check, [f"Bearer {issuer.token()}"] * 8))
    assert [caller.user for caller in users] == [USER] * 8
    assert issuer.asked.count("/jwks") == 1


def test_a_missing_scope_names_all_that_the_call_takes(issuer: FakeIssuer, guard: Guard) -> None:
    """403, so that the client can ask for all at once."""
    caller = guard.check(f"Bearer {issuer.token()}")
    caller.require("payments:read")
    with pytest.raises(Rejected) as found:
        caller.require("payments:read", "payments:transfer")
    assert (found.value.status, found.value.error) == (403, "insufficient_scope")
    assert 'scope="payments:read payments:transfer"' in found.value.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"authorization_details": [PAYMENT]},
        {"approval": APPROVAL},
        {"approval": APPROVAL, "authorization_details": [{**PAYMENT, "amount": {"minor": 99}}]},
        {"approval": APPROVAL, "authorization_details": [PAYMENT, PAYMENT]},
    ],
)
def test_what_was_not_approved_is_demanded_in_a_form_that_an_agent_can_ask_with(
    issuer: FakeIssuer, guard: Guard, claims: dict[str, Any]
) -> None:
    """The answer holds the details; the agent's side reads the same from it."""
    caller = guard.check(f"Bearer {issuer.token(**claims)}")
    with pytest.raises(ApprovalRequired) as found:
        caller.require_approval(PAYMENT, scope="payments:transfer")
    demand = found.value
    assert 'error="insufficient_authorization_details"' in demand.headers["WWW-Authenticate"]
    answer = httpx.Response(demand.status, json=demand.body, headers=demand.headers)
    assert Challenge.of(answer) == Challenge([PAYMENT], API, "payments:transfer")


def test_what_was_approved_goes_on(issuer: FakeIssuer, guard: Guard) -> None:
    """The order of its members does not matter."""
    token = issuer.token(approval=APPROVAL, authorization_details=[PAYMENT])
    turned = dict(reversed(PAYMENT.items()))
    caller = guard.check(f"Bearer {token}")
    caller.require_approval(turned)
    assert guard.consume(caller, turned).approval == "sayso_ap_1"


def test_details_that_were_not_granted_are_not_even_sent(issuer: FakeIssuer, guard: Guard) -> None:
    """The demand comes from the guard itself."""
    caller = guard.check(
        f"Bearer {issuer.token(approval=APPROVAL, authorization_details=[PAYMENT])}"
    )
    with pytest.raises(ApprovalRequired):
        guard.consume(caller, {**PAYMENT, "payee": "M"})
    assert "/api/approvals/consume" not in issuer.asked


@pytest.mark.parametrize(
    ("status", "code", "kind", "answered"),
    [
        (409, "already_consumed", Rejected, 409),
        (403, "not_granted", Rejected, 403),
        (403, "token_inactive", Rejected, 401),
        (401, "insufficient_user_authentication", Rejected, 401),
        (503, "unavailable", Rejected, 503),
        (401, "invalid_client", Misconfigured, None),
        (422, "invalid_body", Misconfigured, None),
    ],
)
def test_each_refusal_to_consume_stops_the_action(  # a table
    issuer: FakeIssuer,
    guard: Guard,
    status: int,
    code: str,
    kind: type[Exception],
    answered: int | None,
) -> None:
    """What is the agent's is answered to it; what is the operator's own is an error of the API."""
    issuer.consumption = httpx.Response(
        status, json={"code": code, "detail": "No."}, headers={"WWW-Authenticate": 'Bearer x="y"'}
    )
    caller = guard.check(
        f"Bearer {issuer.token(approval=APPROVAL, authorization_details=[PAYMENT])}"
    )
    with pytest.raises(kind) as found:
        guard.consume(caller, PAYMENT)
    assert getattr(found.value, "status", None) == answered


def test_each_consumption_is_an_execution_of_its_own(issuer: FakeIssuer, guard: Guard) -> None:
    """Unless the API names it: a second call with the same token is another execution."""
    caller = guard.check(
        f"Bearer {issuer.token(approval=APPROVAL, authorization_details=[PAYMENT])}"
    )
    first, second = (guard.consume(caller, PAYMENT) for _ in range(2))
    assert first.execution_id != second.execution_id
    assert guard.consume(caller, PAYMENT, "run-1").execution_id == "run-1"


def test_an_introspection_counts_for_its_seconds_and_no_longer(
    issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API chooses: each time, for a while, or never."""
    now = [1_000.0]
    monkeypatch.setattr(jwks.time, "monotonic", lambda: now[0])
    with issuer.http as http:
        guard = Guard(ISSUER, API, credentials=CREDENTIALS, introspect_every=5, http=http)
        token = issuer.token()
        for _ in range(5):
            assert guard.check(f"Bearer {token}").claims["username"] == "ana"
        assert issuer.asked.count("/introspect") == 1
        issuer.active = False
        now[0] += 4.9
        guard.check(f"Bearer {token}")
        now[0] += 0.2
        assert _refused(guard, f"Bearer {token}").error == "invalid_token"
        issuer.away = True
        now[0] += 6
        assert _refused(guard, f"Bearer {token}").status == 503


def test_a_forged_token_is_refused_before_anybody_is_asked(issuer: FakeIssuer) -> None:
    """Garbage costs the authorization server nothing."""
    with issuer.http as http:
        guard = Guard(ISSUER, API, credentials=CREDENTIALS, introspect_every=0, http=http)
        _refused(guard, f"Bearer {issuer.token(new_key('ES256'))}")
    assert "/introspect" not in issuer.asked


class _Bound:
    """A token that is bound to a key, and proofs of that key."""

    def __init__(self, issuer: FakeIssuer) -> None:
        self.key = new_key("ES256")
        self.token = issuer.token(cnf={"jkt": dpop_proofs.thumbprint(self.key)})

    def proof(self, key: Any = None, **changes: Any) -> str:
        """A good proof for GET /balance, with changes."""
        members = {"ath": dpop_proofs.ath(self.token), **changes}
        now, url = int(time.time() * 1000), f"{API}/balance"
        return dpop_proofs.proof(key or self.key, url, now, "GET", **members)


@pytest.fixture
def bound(issuer: FakeIssuer) -> _Bound:
    """A bound token of this issuer."""
    return _Bound(issuer)


def test_a_bound_token_comes_with_a_proof_of_its_key(guard: Guard, bound: _Bound) -> None:
    """One new proof for each call; escapes and case of the URL do not matter."""
    for url in (f"{API}/balance", "https://PAY.example:443/%62alance"):
        proofs = [bound.proof(htu=url)]
        caller = guard.check(f"DPoP {bound.token}", path="/balance", proofs=proofs)
        assert (caller.user, caller.scheme) == (USER, "DPoP")


def test_a_proof_that_was_used_before_is_refused(guard: Guard, bound: _Bound) -> None:
    """A copy of the whole request is worth nothing."""
    call: Any = {"path": "/balance", "proofs": [bound.proof()]}
    guard.check(f"DPoP {bound.token}", **call)
    refused = _refused(guard, f"DPoP {bound.token}", **call)
    assert (refused.status, refused.error) == (401, "invalid_dpop_proof")
    assert 'algs="ES256"' in refused.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "POST"},
        {"htm": None},
        {"htu": f"{API}/other"},
        {"htu": "https://other.example/balance"},
        {"htu": None},
        {"ath": "x"},
        {"ath": None},
        {"iat": _PAST},
        {"iat": _FUTURE},
        {"iat": None},
        {"iat": "now"},
        {"jti": None},
        {"jti": ""},
        {"jti": 1},
    ],
    ids=str,
)
def test_a_proof_for_something_else_is_refused(
    guard: Guard, bound: _Bound, changes: dict[str, Any]
) -> None:
    """It has another method, URL, token or time."""
    proofs = [bound.proof(**changes)]
    refused = _refused(guard, f"DPoP {bound.token}", path="/balance", proofs=proofs)
    assert refused.error == "invalid_dpop_proof"


def test_a_proof_by_another_key_or_of_another_kind_is_refused(guard: Guard, bound: _Bound) -> None:
    """No proof, two proofs, and one with its private key or without a type are refused too."""
    other, good = new_key("ES256"), bound.proof()
    claims = dpop_proofs.proof_claims(
        f"{API}/balance", int(time.time() * 1000), "GET", ath=dpop_proofs.ath(bound.token)
    )
    private = {"jwk": {**dpop_proofs.public(bound.key), "d": "x"}}
    wrong = [
        [],
        [good, bound.proof()],
        [bound.proof(other)],
        [dpop_proofs.signed(other, claims, jwk=dpop_proofs.public(bound.key))],
        [dpop_proofs.signed(bound.key, claims, typ="JWT")],
        [dpop_proofs.signed(bound.key, claims, **private)],
        [dpop_proofs.signed(bound.key, claims, kid="x")],
        [by_hand({"typ": "dpop+jwt", "alg": "none", "jwk": dpop_proofs.public(bound.key)}, claims)],
        ["x.y.z"],
        ["[" * 4_000],
    ]
    refused = [
        _refused(guard, f"DPoP {bound.token}", path="/balance", proofs=proofs) for proofs in wrong
    ]
    assert [one.error for one in refused] == ["invalid_dpop_proof"] * len(wrong)


def test_a_token_with_a_second_confirmation_that_nobody_checks_is_refused(
    issuer: FakeIssuer, guard: Guard, bound: _Bound
) -> None:
    """A certificate, say: the proof of the key alone does not make up for it."""
    thumbprint = dpop_proofs.thumbprint(bound.key)
    bound.token = issuer.token(cnf={"jkt": thumbprint, "x5t#S256": "x"})
    refused = _refused(guard, f"DPoP {bound.token}", path="/balance", proofs=[bound.proof()])
    assert refused.error == "invalid_token"


def test_a_bound_token_is_no_bearer_token_and_an_unbound_one_is_no_other(
    issuer: FakeIssuer, guard: Guard, bound: _Bound
) -> None:
    """A stolen token without its key, and a proof that proves nothing (RFC 9449 7.1, 7.2)."""
    assert _refused(guard, f"Bearer {bound.token}").error == "invalid_token"
    proofs = [bound.proof(ath=None)]
    refused = _refused(guard, f"DPoP {issuer.token()}", path="/balance", proofs=proofs)
    assert refused.error == "invalid_token"


def test_clocks_may_differ_by_five_seconds_and_a_proof_lives_for_sixty(
    issuer: FakeIssuer, guard: Guard, bound: _Bound
) -> None:
    """Larger differences are refused, on either side."""
    now = int(time.time())
    guard.check(f"Bearer {issuer.token(exp=now - 3)}")
    guard.check(f"Bearer {issuer.token(iat=now + 3)}")
    assert _refused(guard, f"Bearer {issuer.token(exp=now - 8)}").status == 401
    assert _refused(guard, f"Bearer {issuer.token(iat=now + 9)}").status == 401
    for late, counts in ((50, True), (70, False), (-3, True), (-9, False)):
        call: Any = {"path": "/balance", "proofs": [bound.proof(iat=now - late)]}
        if counts:
            guard.check(f"DPoP {bound.token}", **call)
        else:
            assert _refused(guard, f"DPoP {bound.token}", **call).error == "invalid_dpop_proof"


def test_what_cannot_be_right_is_refused_when_the_guard_is_made() -> None:
    """The errors name the argument, and the command that prints its value."""
    with pytest.raises(ValueError, match=r"audience.*sayso resources add"):
        Guard(ISSUER, "")
    with pytest.raises(ValueError, match=r"introspect_every needs credentials"):
        Guard(ISSUER, API, introspect_every=5)
    with pytest.raises(ValueError, match=r"audience must be"):
        Guard(ISSUER, "urn:pay")
    with pytest.raises(ValueError, match=r"url must be"):
        Guard(ISSUER, API, url="pay")
    with pytest.raises(ValueError, match=r"secret is empty"):
        Guard(ISSUER, API, credentials=("sayso_rs_1", ""))
    assert Guard(ISSUER, "urn:pay", url="https://pay.example").metadata["resource"] == "urn:pay"


def test_a_guard_without_credentials_consumes_nothing(issuer: FakeIssuer) -> None:
    """It says what to pass."""
    with issuer.http as http:
        guard = Guard(ISSUER, API, http=http)
        token = issuer.token(approval=APPROVAL, authorization_details=[PAYMENT])
        with pytest.raises(ValueError, match="consume needs credentials"):
            guard.consume(guard.check(f"Bearer {token}"), PAYMENT)


def test_the_metadata_stands_where_the_challenge_says() -> None:
    """The path of the resource is inserted (RFC 9728 3.1)."""
    guard = Guard(ISSUER, "https://pay.example/mcp/", scopes=["a", "b"])
    assert guard.metadata_path == "/.well-known/oauth-protected-resource/mcp"
    assert guard.metadata == {
        "resource": "https://pay.example/mcp/",
        "authorization_servers": [ISSUER],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "scopes_supported": ["a", "b"],
    }


def _claims(payload: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def _changed(payload: str) -> str:
    raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    grown = raw.replace(b"payments:read", b"payments:admin")
    assert grown != raw
    return base64.urlsafe_b64encode(grown).rstrip(b"=").decode()
