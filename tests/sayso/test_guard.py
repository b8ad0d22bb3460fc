"""The SDK's guard with tokens of every kind, from an issuer whose keys the tests have."""

import base64
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from sayso import ApprovalRequired, Challenge, Guard, Misconfigured, Rejected
from tests.support.fakes.issuer import AGENT, API, ISSUER, USER, FakeIssuer
from tests.support.inputs import dpop_proofs
from tests.support.inputs.handmade_jwts import hmac_jwt, make_jwt, new_key

CREDENTIALS = ("sayso_rs_1", "s3cret")
PAYMENT = {"type": "payment.transfer", "amount": {"minor": 100, "currency": "EUR"}}
_PAST, _FUTURE = 1_000_000_000, 4_000_000_000
"""Fixed times in seconds, so that test names are the same in each process."""
APPROVAL = {"id": "sayso_ap_1", "action_digest": "a", "granted_digest": "g", "single_use": True}


@pytest.fixture
def issuer() -> FakeIssuer:
    """An issuer with one key."""
    return FakeIssuer()


@pytest.fixture
def guard(issuer: FakeIssuer) -> Iterator[Guard]:
    """A guard of the payment API that only verifies signatures."""
    with issuer.http as http:
        yield Guard(ISSUER, API, credentials=CREDENTIALS, http=http)


def _refused(guard: Guard, authorization: str | None, **call: Any) -> Rejected:
    with pytest.raises(Rejected) as rejected:
        guard.check(authorization, **call)
    return rejected.value


def test_a_valid_token_names_the_user_and_the_agents(issuer: FakeIssuer, guard: Guard) -> None:
    """The chain has the agent that acts now and the agents before it."""
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
def test_a_token_without_a_user_or_without_an_agent_has_none(
    issuer: FakeIssuer, guard: Guard, claims: Any, user: str | None, agent: str | None
) -> None:
    """An agent that acts for itself has no user, and a user's app has no agent."""
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
    """The issuer signed the token, but it is not valid for this call."""
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
def test_a_token_with_a_wrong_header_is_refused(
    issuer: FakeIssuer, guard: Guard, header: dict[str, Any]
) -> None:
    """ID tokens, hints and introspections are not access tokens (RFC 9068, section 4)."""
    assert guard.check(f"Bearer {issuer.token()}").user == USER
    refused = _refused(guard, f"Bearer {issuer.token(header=header)}")
    assert (refused.status, refused.error) == (401, "invalid_token")


def test_a_token_without_claims_is_refused(issuer: FakeIssuer, guard: Guard) -> None:
    """A list, a string and an empty payload are refused even if the issuer signed them."""
    for payload in (b"[]", b'"x"', b"", b"[" * 5_000):
        signed = issuer.keys[0].sign(payload, typ="at+jwt")
        assert _refused(guard, f"Bearer {signed}").error == "invalid_token"


def test_a_forged_token_is_refused(issuer: FakeIssuer, guard: Guard) -> None:
    """Examples are `none`, the public key as a secret, a foreign key and a changed payload."""
    good = issuer.token()
    guard.check(f"Bearer {good}")
    own_key = issuer.keys[0]
    other = new_key("ES256")
    head, payload, signature = good.split(".")
    forged = [
        make_jwt({"typ": "at+jwt", "kid": own_key.kid, "alg": "none"}, _claims(payload)),
        hmac_jwt(
            {"typ": "at+jwt", "kid": own_key.kid, "alg": "HS256"}, _claims(payload), own_key.pem
        ),
        issuer.token(other, header={"kid": own_key.kid}),
        issuer.token(new_key("RS256"), header={"kid": own_key.kid}),
        f"{head}.{_raise_scope(payload)}.{signature}",
        f"{head}.{payload}.",
        f"{head}.{payload}.{signature}A",
        f"{head}.{payload}.{signature}==",
        f"{head}.{payload}",
        good + "A" * 20_000,
        "x",
    ]
    errors = {_refused(guard, f"Bearer {token}").error for token in forged}
    assert errors == {"invalid_token"}


@pytest.mark.parametrize(
    "alg", [pytest.param(name, id=name) for name in ("ES256", "EdDSA", "RS256")]
)
def test_a_key_of_each_algorithm_verifies(alg: str) -> None:
    """A token of each supported algorithm is accepted."""
    issuer = FakeIssuer([new_key(alg)])
    with issuer.http as http:
        assert Guard(ISSUER, API, http=http).check(f"Bearer {issuer.token()}").user == USER


def test_an_unsupported_algorithm_is_refused() -> None:
    """PS256 is secure, but Sayso does not sign with it."""
    issuer = FakeIssuer([new_key("PS256")])
    with issuer.http as http:
        assert _refused(Guard(ISSUER, API, http=http), f"Bearer {issuer.token()}").status == 401


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic eDp5", "token"])
def test_a_call_without_a_token_gets_the_address_of_the_metadata(
    guard: Guard, authorization: str | None
) -> None:
    """The challenge has the metadata's URL and no error code (RFC 9728, section 5.1)."""
    refused = _refused(guard, authorization)
    assert refused.status == 401
    challenge = refused.headers["WWW-Authenticate"]
    assert f'resource_metadata="{API}/.well-known/oauth-protected-resource"' in challenge
    assert "error=" not in challenge


def test_keys_are_fetched_once(issuer: FakeIssuer, guard: Guard) -> None:
    """Checking many tokens fetches the keys only once."""
    for _ in range(20):
        guard.check(f"Bearer {issuer.token()}")
    assert issuer.asked.count("/jwks") == 1


def test_an_unknown_key_is_looked_up_at_most_every_ten_seconds(
    issuer: FakeIssuer, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new key is found, but many tokens with unknown keys cause only one fetch."""
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    guard.check(f"Bearer {issuer.token()}")
    now[0] += 11
    issuer.keys.insert(0, new_key("ES256", "second"))
    assert guard.check(f"Bearer {issuer.token()}").user == USER
    assert issuer.asked.count("/jwks") == 2
    unknown_key = new_key("ES256", "stranger")
    for _ in range(50):
        _refused(guard, f"Bearer {issuer.token(unknown_key)}")
    assert issuer.asked.count("/jwks") == 2
    now[0] += 11
    _refused(guard, f"Bearer {issuer.token(unknown_key)}")
    assert issuer.asked.count("/jwks") == 3


def test_a_removed_key_is_accepted_for_at_most_five_minutes(
    issuer: FakeIssuer, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keys are fetched again even if the key ID is known."""
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    token = issuer.token()
    guard.check(f"Bearer {token}")
    issuer.keys = [new_key("ES256", "second")]
    guard.check(f"Bearer {token}")
    now[0] += 301
    assert _refused(guard, f"Bearer {token}").error == "invalid_token"


def test_known_keys_are_accepted_for_an_hour_without_the_issuer(
    issuer: FakeIssuer, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After that, every call is refused with 503."""
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    guard.check(f"Bearer {issuer.token()}")
    issuer.away = True
    now[0] += 3_000
    assert guard.check(f"Bearer {issuer.token()}").user == USER
    now[0] += 700
    assert _refused(guard, f"Bearer {issuer.token()}").status == 503


def test_a_different_spelling_of_the_issuer_is_misconfigured() -> None:
    """The error names the right issuer, because trying again would not help."""
    issuer = FakeIssuer()
    with (
        issuer.http as http,
        pytest.raises(Misconfigured, match=f"has the issuer {ISSUER}. Use that issuer"),
    ):
        Guard("https://127.0.0.1", API, http=http).check(f"Bearer {issuer.token()}")


def test_the_reason_for_a_503_is_logged_for_the_operator(
    issuer: FakeIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller cannot mend the certificate of the issuer, so the response does not name it."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]")

    with httpx.Client(transport=httpx.MockTransport(fail)) as http:
        refused = _refused(Guard(ISSUER, API, http=http), f"Bearer {issuer.token()}")
    assert refused.status == 503
    assert "SSL_CERT_FILE" not in str(refused.body)
    (message,) = caplog.messages
    assert f"No answer from {ISSUER}/.well-known/oauth-authorization-server" in message
    assert message.endswith("signed the certificate, set SSL_CERT_FILE to its file.")


@pytest.mark.parametrize("path", ["/introspect", "/jwks"])
def test_the_status_of_a_failing_issuer_is_logged(
    issuer: FakeIssuer, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """The log names the URL and its status."""

    def fail(request: httpx.Request) -> httpx.Response:
        return httpx.Response(502) if request.url.path == path else issuer.answer(request)

    credentials = ("sayso_rs_1", "sayso_cs_1")
    with (
        httpx.Client(transport=httpx.MockTransport(fail)) as http,
        Guard(ISSUER, API, credentials=credentials, introspect_every=0, http=http) as guard,
    ):
        assert _refused(guard, f"Bearer {issuer.token()}").status == 503
    assert f"{ISSUER}{path} answered with status 502" in caplog.text


def test_a_proxy_whose_server_is_down_is_not_a_wrong_issuer(issuer: FakeIssuer) -> None:
    """The caller is told to try again (503), as when the server does not respond."""

    def unavailable(_: httpx.Request) -> httpx.Response:
        return httpx.Response(502, html="Bad gateway")

    with httpx.Client(transport=httpx.MockTransport(unavailable)) as http:
        refused = _refused(Guard(ISSUER, API, http=http), f"Bearer {issuer.token()}")
    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize(
    "details", ["x", {"payee": "N"}, ["x"], 5, True, {"type": "x", "amount": float("nan")}]
)
def test_invalid_details_are_an_error_of_the_caller(
    issuer: FakeIssuer, guard: Guard, details: Any
) -> None:
    """An API passes on what it received, so the response is 400."""
    token = issuer.token(approval=APPROVAL, authorization_details=[PAYMENT])
    with pytest.raises(Rejected, match="action") as refused:
        guard.consume(guard.check(f"Bearer {token}"), details)
    assert (refused.value.status, refused.value.error) == (400, "invalid_request")


def test_concurrent_first_calls_fetch_the_keys_once(issuer: FakeIssuer, guard: Guard) -> None:
    """The other calls wait for the first fetch, and none is refused."""
    answer = issuer.answer

    def slow(request: httpx.Request) -> httpx.Response:
        time.sleep(0.05)
        return answer(request)

    guard._http = httpx.Client(transport=httpx.MockTransport(slow))
    with ThreadPoolExecutor(8) as threads:
        callers = list(threads.map(guard.check, [f"Bearer {issuer.token()}"] * 8))
    assert [caller.user for caller in callers] == [USER] * 8
    assert issuer.asked.count("/jwks") == 1


def test_a_missing_scope_error_names_all_required_scopes(issuer: FakeIssuer, guard: Guard) -> None:
    """The client can request all of them in one step."""
    caller = guard.check(f"Bearer {issuer.token()}")
    caller.require("payments:read")
    with pytest.raises(Rejected) as rejected:
        caller.require("payments:read", "payments:transfer")
    assert (rejected.value.status, rejected.value.error) == (403, "insufficient_scope")
    assert 'scope="payments:read payments:transfer"' in rejected.value.headers["WWW-Authenticate"]


def test_a_trailing_slash_of_the_audience_makes_no_difference(issuer: FakeIssuer) -> None:
    """Sayso treats both forms as one resource; its tokens have the one that was registered."""
    with issuer.http as http:
        assert Guard(ISSUER, f"{API}/", http=http).check(f"Bearer {issuer.token()}").user == USER
        refused = _refused(Guard(ISSUER, f"{API}//", http=http), f"Bearer {issuer.token()}")
    assert refused.error == "invalid_token"


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
def test_an_action_without_an_approval_gets_a_challenge_for_the_agent(
    issuer: FakeIssuer, guard: Guard, claims: dict[str, Any]
) -> None:
    """The agent's side reads from the response the details that it must request."""
    caller = guard.check(f"Bearer {issuer.token(**claims)}")
    with pytest.raises(ApprovalRequired) as raised:
        caller.require_approval(PAYMENT, scope="payments:transfer")
    challenge = raised.value
    assert 'error="insufficient_authorization_details"' in challenge.headers["WWW-Authenticate"]
    answer = httpx.Response(challenge.status, json=challenge.body, headers=challenge.headers)
    assert Challenge.from_response(answer) == Challenge([PAYMENT], API, "payments:transfer")


def test_an_approved_action_is_accepted(issuer: FakeIssuer, guard: Guard) -> None:
    """The order of its members does not matter."""
    token = issuer.token(approval=APPROVAL, authorization_details=[PAYMENT])
    reordered = dict(reversed(PAYMENT.items()))
    caller = guard.check(f"Bearer {token}")
    caller.require_approval(reordered)
    assert guard.consume(caller, reordered).approval == "sayso_ap_1"


def test_a_token_with_the_longest_details_is_accepted(issuer: FakeIssuer, guard: Guard) -> None:
    """Sayso accepts 20,480 bytes of details, and a person has approved them."""
    details = [{"type": "files.write", "content": "a" * 20_440}]
    token = issuer.token(approval=APPROVAL, authorization_details=details)
    guard.check(f"Bearer {token}").require_approval(details)
    longer_token = issuer.token(authorization_details=details * 2)
    assert _refused(guard, f"Bearer {longer_token}").error == "invalid_token"


def test_ungranted_details_are_refused_locally(issuer: FakeIssuer, guard: Guard) -> None:
    """The guard raises the error itself and sends nothing to the server."""
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
    """A fault of the agent is returned to it. A fault of the operator is raised as an error."""
    issuer.consumption = httpx.Response(
        status, json={"code": code, "detail": "No."}, headers={"WWW-Authenticate": 'Bearer x="y"'}
    )
    caller = guard.check(
        f"Bearer {issuer.token(approval=APPROVAL, authorization_details=[PAYMENT])}"
    )
    with pytest.raises(kind) as raised:
        guard.consume(caller, PAYMENT)
    assert getattr(raised.value, "status", None) == answered


@pytest.mark.parametrize("execution_id", ["für März", "a b", "x" * 129])
def test_an_invalid_execution_id_is_refused_by_name(
    issuer: FakeIssuer, guard: Guard, execution_id: str
) -> None:
    """It is the API's mistake, so the caller is not told that something is wrong with the call."""
    token = issuer.token(approval=APPROVAL, authorization_details=[PAYMENT])
    with pytest.raises(ValueError, match="execution_id must be 1 to 128"):
        guard.consume(guard.check(f"Bearer {token}"), PAYMENT, execution_id)


def test_each_consumption_has_a_new_execution_id(issuer: FakeIssuer, guard: Guard) -> None:
    """An execution ID that the API passes is used instead."""
    caller = guard.check(
        f"Bearer {issuer.token(approval=APPROVAL, authorization_details=[PAYMENT])}"
    )
    first, second = (guard.consume(caller, PAYMENT) for _ in range(2))
    assert first.execution_id != second.execution_id
    assert guard.consume(caller, PAYMENT, "run-1").execution_id == "run-1"


def test_an_introspection_is_valid_for_the_configured_seconds(
    issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `introspect_every=5`, a revoked token is refused after five seconds."""
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
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


def test_a_forged_token_is_not_introspected(issuer: FakeIssuer) -> None:
    """An invalid token causes no request to the authorization server."""
    with issuer.http as http:
        guard = Guard(ISSUER, API, credentials=CREDENTIALS, introspect_every=0, http=http)
        _refused(guard, f"Bearer {issuer.token(new_key('ES256'))}")
    assert "/introspect" not in issuer.asked


class _BoundToken:
    """A token that is bound to a key, and proofs of that key."""

    def __init__(self, issuer: FakeIssuer) -> None:
        self.key = new_key("ES256")
        self.token = issuer.token(cnf={"jkt": dpop_proofs.thumbprint(self.key)})

    def proof(self, key: Any = None, **changes: Any) -> str:
        """Return a valid proof for GET /balance, with changes."""
        members = {"ath": dpop_proofs.ath(self.token), **changes}
        now, url = int(time.time() * 1000), f"{API}/balance"
        return dpop_proofs.proof(key or self.key, url, now, "GET", **members)


@pytest.fixture
def bound(issuer: FakeIssuer) -> _BoundToken:
    """A bound token of this issuer."""
    return _BoundToken(issuer)


def test_a_bound_token_needs_a_proof_of_its_key(guard: Guard, bound: _BoundToken) -> None:
    """Escapes and case in the URL of the proof do not matter."""
    for url in (f"{API}/balance", "https://PAY.example:443/%62alance"):
        proofs = [bound.proof(htu=url)]
        caller = guard.check(f"DPoP {bound.token}", path="/balance", proofs=proofs)
        assert (caller.user, caller.scheme) == (USER, "DPoP")


def test_a_proof_may_have_other_headers_and_a_time_with_a_fraction(
    guard: Guard, bound: _BoundToken
) -> None:
    """RFC 7515 4, RFC 7519 2: the server accepts such a proof too when it binds a token."""
    claims = dpop_proofs.proof_claims(
        f"{API}/balance", int(time.time() * 1000), "GET", ath=dpop_proofs.ath(bound.token)
    )
    proof = dpop_proofs.sign_proof(bound.key, {**claims, "iat": time.time()}, kid="x")
    assert guard.check(f"DPoP {bound.token}", path="/balance", proofs=[proof]).user == USER


def test_a_proof_cannot_be_used_twice(guard: Guard, bound: _BoundToken) -> None:
    """A copied request is therefore refused."""
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
        {"htu": "https://[/balance"},
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
def test_a_proof_for_a_different_call_is_refused(
    guard: Guard, bound: _BoundToken, changes: dict[str, Any]
) -> None:
    """The method, URL, token and time of the proof must match the call."""
    proofs = [bound.proof(**changes)]
    refused = _refused(guard, f"DPoP {bound.token}", path="/balance", proofs=proofs)
    assert refused.error == "invalid_dpop_proof"


def test_an_invalid_proof_is_refused(guard: Guard, bound: _BoundToken) -> None:
    """Examples are a foreign key, two proofs, a private key in the header and a wrong type."""
    other, good = new_key("ES256"), bound.proof()
    claims = dpop_proofs.proof_claims(
        f"{API}/balance", int(time.time() * 1000), "GET", ath=dpop_proofs.ath(bound.token)
    )
    private = {"jwk": {**dpop_proofs.public(bound.key), "d": "x"}}
    invalid = [
        [],
        [good, bound.proof()],
        [bound.proof(other)],
        [dpop_proofs.sign_proof(other, claims, jwk=dpop_proofs.public(bound.key))],
        [dpop_proofs.sign_proof(bound.key, claims, typ="JWT")],
        [dpop_proofs.sign_proof(bound.key, claims, **private)],
        [dpop_proofs.sign_proof(bound.key, claims, crit=["x"])],
        [
            make_jwt(
                {"typ": "dpop+jwt", "alg": "none", "jwk": dpop_proofs.public(bound.key)}, claims
            )
        ],
        ["x.y.z"],
        ["[" * 4_000],
    ]
    refused = [
        _refused(guard, f"DPoP {bound.token}", path="/balance", proofs=proofs) for proofs in invalid
    ]
    assert [rejected.error for rejected in refused] == ["invalid_dpop_proof"] * len(invalid)


def test_a_token_with_an_unsupported_confirmation_is_refused(
    issuer: FakeIssuer, guard: Guard, bound: _BoundToken
) -> None:
    """A proof of the key does not replace the check of a certificate, for example."""
    thumbprint = dpop_proofs.thumbprint(bound.key)
    bound.token = issuer.token(cnf={"jkt": thumbprint, "x5t#S256": "x"})
    refused = _refused(guard, f"DPoP {bound.token}", path="/balance", proofs=[bound.proof()])
    assert refused.error == "invalid_token"


def test_the_scheme_must_match_the_binding_of_the_token(
    issuer: FakeIssuer, guard: Guard, bound: _BoundToken
) -> None:
    """A stolen bound token is refused as a bearer token (RFC 9449, sections 7.1 and 7.2)."""
    assert _refused(guard, f"Bearer {bound.token}").error == "invalid_token"
    proofs = [bound.proof(ath=None)]
    refused = _refused(guard, f"DPoP {issuer.token()}", path="/balance", proofs=proofs)
    assert refused.error == "invalid_token"


def test_clocks_may_differ_by_five_seconds_and_proofs_are_valid_for_sixty(
    issuer: FakeIssuer, guard: Guard, bound: _BoundToken
) -> None:
    """Larger differences are refused in both directions."""
    now = int(time.time())
    guard.check(f"Bearer {issuer.token(exp=now - 3)}")
    guard.check(f"Bearer {issuer.token(iat=now + 3)}")
    assert _refused(guard, f"Bearer {issuer.token(exp=now - 8)}").status == 401
    assert _refused(guard, f"Bearer {issuer.token(iat=now + 9)}").status == 401
    for age, is_accepted in ((50, True), (70, False), (-3, True), (-9, False)):
        call: Any = {"path": "/balance", "proofs": [bound.proof(iat=now - age)]}
        if is_accepted:
            guard.check(f"DPoP {bound.token}", **call)
        else:
            assert _refused(guard, f"DPoP {bound.token}", **call).error == "invalid_dpop_proof"


def test_invalid_arguments_are_refused_when_the_guard_is_created() -> None:
    """The error names the argument and, if there is one, the command that prints its value."""
    with pytest.raises(ValueError, match=r"audience.*sayso resources add"):
        Guard(ISSUER, "")
    with pytest.raises(ValueError, match=r"introspect_every needs credentials"):
        Guard(ISSUER, API, introspect_every=5)
    with pytest.raises(ValueError, match=r"audience must be"):
        Guard(ISSUER, "urn:pay")
    with pytest.raises(ValueError, match=r"url must be"):
        Guard(ISSUER, API, url="pay")
    with pytest.raises(ValueError, match=r"url is not a valid URL.*Port out of range"):
        Guard(ISSUER, API, url="https://pay.example:99999")
    for url in ("https://pay.example?tenant=a", "https://pay.example/#a"):
        with pytest.raises(ValueError, match=r"url must not have a query or a fragment"):
            Guard(ISSUER, API, url=url)
    with pytest.raises(ValueError, match=r"secret is empty"):
        Guard(ISSUER, API, credentials=("sayso_rs_1", ""))
    assert Guard(ISSUER, "urn:pay", url="https://pay.example").metadata["resource"] == "urn:pay"


@pytest.mark.parametrize(
    ("url", "public_url"),
    [
        (None, "https://pay.example/pay"),
        ("https://api.example", "https://api.example/pay"),
        ("https://api.example/", "https://api.example/pay"),
        ("https://api.example/v1/", "https://api.example/v1/pay"),
    ],
)
def test_a_public_url_starts_with_the_url_of_the_guard(url: str | None, public_url: str) -> None:
    """A proxy removes `/v1`, but DPoP proofs name it. The path of the audience is not a prefix."""
    guard = Guard(ISSUER, "https://pay.example/v1", url=url)
    assert guard.public_url("/pay") == public_url
    assert guard.metadata_path == "/.well-known/oauth-protected-resource/v1"


def test_a_guard_without_credentials_cannot_consume(issuer: FakeIssuer) -> None:
    """The error says that `consume` needs credentials."""
    with issuer.http as http:
        guard = Guard(ISSUER, API, http=http)
        token = issuer.token(approval=APPROVAL, authorization_details=[PAYMENT])
        with pytest.raises(ValueError, match="consume needs credentials"):
            guard.consume(guard.check(f"Bearer {token}"), PAYMENT)


@pytest.mark.parametrize(
    ("audience", "metadata"),
    [
        ("https://pay.example/v1?tenant=a", "https://api.example/.well-known/{}/v1?tenant=a"),
        ("https://pay.example/?tenant=a", "https://api.example/.well-known/{}?tenant=a"),
        ("urn:pay", "https://api.example/.well-known/{}"),
    ],
)
def test_the_metadata_url_keeps_the_query_of_the_resource(audience: str, metadata: str) -> None:
    """A client derives the resource from this URL and compares them (RFC 9728, section 3.3)."""
    rejected = _refused(Guard(ISSUER, audience, url="https://api.example"), None)
    url = metadata.format("oauth-protected-resource")
    assert f'resource_metadata="{url}"' in rejected.headers["WWW-Authenticate"]


def test_the_metadata_path_contains_the_path_of_the_resource() -> None:
    """The resource's path comes after the well-known prefix (RFC 9728, section 3.1)."""
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


def _raise_scope(payload: str) -> str:
    raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    changed = raw.replace(b"payments:read", b"payments:admin")
    assert changed != raw
    return base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
