"""Modules of the OpenID Foundation's FAPI-CIBA plan that apply to plain CIBA.

Each has one test, in poll and in ping mode, with what the suite's client sends: `private_key_jwt`,
signed requests and two clients. Modules about the ping's receiver are in `test_ping.py`, and more
invalid request objects in `test_signed_requests.py`.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import pytest

from tests.support.builders.clock import SECOND
from tests.support.builders.installation import PAY
from tests.support.checks.refusals import assert_unchanged, check_refusal
from tests.support.checks.waiting import until
from tests.support.clients.agent import CIBA
from tests.support.clients.terminal import Terminal
from tests.support.fakes.receiver import Receiver, receiver
from tests.support.inputs.handmade_jwts import (
    Key,
    assertion_claims,
    assertion_form,
    make_jwt,
    new_key,
    request_claims,
)
from tests.support.servers.server import AgentKey, LiveServer

_AUTH_REQ_ID = re.compile(r"[A-Za-z0-9\-_.]{22,}")
_PENDING = {"authorization_pending", "slow_down"}


@dataclass(frozen=True, slots=True)
class SuiteClient:
    """A client that behaves as the suite's client does."""

    server: LiveServer
    http: httpx.Client
    agent: AgentKey
    key: Key
    token: str | None
    """Its `client_notification_token`, in ping mode."""

    def assertion(self, **changes: Any) -> dict[str, str]:
        """Returns the parameters of a client assertion for the issuer."""
        now = self.server.clock.now()
        return assertion_form(
            self.key.sign(assertion_claims(self.agent.id, self.server.url, now, **changes))
        )

    def claims(self, user: str, **changes: Any) -> dict[str, Any]:
        """Returns the claims of a request (FC-S1), with changes; None removes a member."""
        parameters = {"scope": "openid payments:read", "resource": PAY, "login_hint": user}
        defaults = {"binding_message": "1234", "client_notification_token": self.token}
        now = self.server.clock.now()
        return request_claims(
            self.agent.id, self.server.url, now, **{**parameters, **defaults, **changes}
        )

    def send(self, request: str) -> httpx.Response:
        """Sends a request object with an assertion and nothing else."""
        return self.http.post("/bc-authorize", data={"request": request, **self.assertion()})

    def ask(self, user: str, header: dict[str, str] | None = None, **claims: Any) -> httpx.Response:
        """Sends a signed request."""
        return self.send(self.key.sign(self.claims(user, **claims), **(header or {})))

    def ask_and_check(self, user: str, **claims: Any) -> dict[str, Any]:
        """Sends a request and returns its acknowledgement, checked (FC-A01 to FC-A04)."""
        answer = self.ask(user, **claims)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        reply: dict[str, Any] = answer.json()
        assert _AUTH_REQ_ID.fullmatch(reply["auth_req_id"])
        assert 0 < reply["expires_in"] <= 356 * 86_400
        assert 0 < reply["interval"] <= 21_600
        return reply

    def poll(self, auth_req_id: str) -> httpx.Response:
        """Polls at the token endpoint."""
        form = {"grant_type": CIBA, "auth_req_id": auth_req_id, **self.assertion()}
        return self.http.post("/token", data=form)

    def check_pending(self, auth_req_id: str) -> None:
        """Checks that the request is still pending (FC-A05)."""
        answer = self.poll(auth_req_id)
        assert answer.status_code == 400
        assert answer.json()["error"] in _PENDING


@pytest.fixture(scope="module")
def far() -> Iterator[Receiver]:
    """The suite's notification endpoint."""
    with receiver() as endpoint:
        yield endpoint


@pytest.fixture(scope="module", params=["poll", "ping"])
def clients(
    request: pytest.FixtureRequest, server: LiveServer, http: httpx.Client, far: Receiver
) -> tuple[SuiteClient, SuiteClient]:
    """Two clients in one mode; in ping mode the second has a token of maximum length."""
    mode = {} if request.param == "poll" else {"delivery": "ping"}
    endpoint = {} if request.param == "poll" else {"notification_endpoint": far.url()}
    tokens = [None, None] if request.param == "poll" else ["c" * 27 + "=", "d" * 1_024]
    suite_clients = []
    for index, alg in enumerate(("PS256", "ES256")):
        key = new_key(alg, f"{request.param}-{alg}")
        agent = server.agent(
            auth_method="private_key_jwt",
            jwks=json.dumps(key.jwk),
            request_alg=alg,
            **mode,
            **endpoint,
        )
        suite_clients.append(SuiteClient(server, http, agent, key, tokens[index]))
    return suite_clients[0], suite_clients[1]


def _find_pending(person: Terminal, reply: dict[str, Any]) -> Any:
    return next(a for a in person.waiting() if a.fingerprint == reply["fingerprint"])


def _assert_pinged(far: Receiver, client: SuiteClient, reply: dict[str, Any]) -> None:
    """In ping mode, waits for the ping of this request and checks it (FC-A12)."""
    if client.token is None:
        return
    body = {"auth_req_id": reply["auth_req_id"]}
    until(lambda: body in [json.loads(request.body) for request in far.got])
    request = next(request for request in far.got if json.loads(request.body) == body)
    assert request.headers["Authorization"] == f"Bearer {client.token}"
    assert request.headers["Content-Type"] == "application/json"


def test_discovery_has_everything_the_suite_reads(server: LiveServer, http: httpx.Client) -> None:
    """FC-01: the suite finds all it needs. The server may use http because it is on loopback."""
    metadata = http.get("/.well-known/openid-configuration").json()

    assert metadata["issuer"] == server.url
    for name in ("token_endpoint", "jwks_uri", "backchannel_authentication_endpoint"):
        assert metadata[name].startswith(f"{server.url}/")
    assert CIBA in metadata["grant_types_supported"]
    assert {"poll", "ping"} <= set(metadata["backchannel_token_delivery_modes_supported"])
    assert isinstance(metadata["backchannel_user_code_parameter_supported"], bool)
    algs = metadata["backchannel_authentication_request_signing_alg_values_supported"]
    assert {"PS256", "ES256"} <= set(algs)
    assert "private_key_jwt" in metadata["token_endpoint_auth_methods_supported"]
    assert "mtls_endpoint_aliases" not in metadata


def test_the_main_flow_succeeds_for_both_clients(
    clients: tuple[SuiteClient, SuiteClient], person: Terminal, far: Receiver
) -> None:
    """FC-02, FC-A01 to FC-A09: a request is pending twice, then approved and redeemed once."""
    first, second = clients
    for client, extra in ((first, {}), (second, {"acr_values": "urn:sayso:acr:signed"})):
        header = {"typ": "OautH-auThZ-REQ+jWt"} if client is second else None
        reply = client.ask_and_check(person.user, header=header, requested_expiry=300, **extra)
        assert reply["expires_in"] == 300
        for _ in range(2):
            client.check_pending(reply["auth_req_id"])
            client.server.clock.forward(10 * SECOND)
        person.approve(_find_pending(person, reply))
        _assert_pinged(far, client, reply)
        _check_tokens(client, reply, client.poll(reply["auth_req_id"]))
        again = client.poll(reply["auth_req_id"])
        check_refusal(again, 400, "invalid_grant")


def _check_tokens(client: SuiteClient, reply: dict[str, Any], answer: httpx.Response) -> None:
    assert answer.status_code == 200, answer.text
    assert "no-store" in answer.headers["cache-control"]
    body = answer.json()
    assert "error" not in body
    assert body["token_type"].lower() == "bearer"
    assert 0 < body["expires_in"] <= 31_536_000
    assert len(body["access_token"]) >= 22
    assert "kid" in jwt.get_unverified_header(body["id_token"])
    claims = jwt.decode(body["id_token"], options={"verify_signature": False})
    now = client.server.clock.now() / 1000
    assert (claims["iss"], claims["aud"]) == (client.server.url, client.agent.id)
    assert abs(claims["iat"] - now) < 300
    assert claims["exp"] > now
    assert claims["acr"]
    assert claims["urn:openid:params:jwt:claim:auth_req_id"] == reply["auth_req_id"]
    assert not {"c_hash", "s_hash", "nonce"} & claims.keys()


def test_a_denial_is_access_denied(
    clients: tuple[SuiteClient, SuiteClient], person: Terminal, far: Receiver
) -> None:
    """FC-03: a denial sends a ping too, and every later poll gets access_denied."""
    reply = clients[0].ask_and_check(person.user)
    person.deny(_find_pending(person, reply))
    _assert_pinged(far, clients[0], reply)
    for _ in range(2):
        check_refusal(clients[0].poll(reply["auth_req_id"]), 400, "access_denied")


def test_many_polls_do_not_break_the_request(
    clients: tuple[SuiteClient, SuiteClient], person: Terminal, far: Receiver
) -> None:
    """FC-04, FC-A05: twenty polls in a row are pending or slow_down, and the token still comes."""
    reply = clients[0].ask_and_check(person.user)
    for _ in range(20):
        clients[0].check_pending(reply["auth_req_id"])
    person.approve(_find_pending(person, reply))
    _assert_pinged(far, clients[0], reply)
    assert clients[0].poll(reply["auth_req_id"]).status_code == 200


def test_an_expired_request_is_expired_token(
    clients: tuple[SuiteClient, SuiteClient], user: str
) -> None:
    """FC-05, CB-161: both modes return expired_token for an expired request."""
    reply = clients[0].ask_and_check(user, requested_expiry=10)
    assert reply["expires_in"] == 10
    clients[0].server.clock.forward(11 * SECOND)
    check_refusal(clients[0].poll(reply["auth_req_id"]), 400, "expired_token")


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"binding_message": "1234"}, id="FC-06"),
        pytest.param({"scope": "payments:read openid"}, id="FC-07"),
        pytest.param({"requested_expiry": "30"}, id="FC-08"),
    ],
)
def test_accepted_variants_of_a_request_succeed(
    clients: tuple[SuiteClient, SuiteClient],
    person: Terminal,
    far: Receiver,
    claims: dict[str, Any],
) -> None:
    """FC-06 to FC-08: each variant succeeds from the request to the tokens."""
    reply = clients[0].ask_and_check(person.user, **claims)
    person.approve(_find_pending(person, reply))
    _assert_pinged(far, clients[0], reply)
    _check_tokens(clients[0], reply, clients[0].poll(reply["auth_req_id"]))


_LATER, _PAST = 70 * 60, -70 * 60
_BROKEN: dict[str, dict[str, Any]] = {
    "FC-11": {"aud": None},
    "FC-12": {"aud": "https://www.other1.example.com/"},
    "FC-13": {"iss": None},
    "FC-14": {"iss": "the other client"},
    "FC-15": {"exp": None},
    "FC-16": {"exp": _PAST},
    "FC-17": {"exp": _LATER},
    "FC-18": {"iat": None},
    "FC-19": {"nbf": None},
    "FC-20": {"nbf": 600},
    "FC-21": {"nbf": _PAST},
    "FC-22": {"jti": None},
    "FC-27": {"login_hint_token": "a.b.c"},
}


@pytest.mark.parametrize("module", _BROKEN)
def test_an_invalid_request_object_is_refused(
    clients: tuple[SuiteClient, SuiteClient], user: str, module: str
) -> None:
    """FC-11 to FC-22, FC-27: both modes answer invalid_request, and nobody is asked."""
    first, second = clients
    now = first.server.clock.now() // 1000
    claims = {
        name: now + value if name in {"exp", "nbf"} and value is not None else value
        for name, value in _BROKEN[module].items()
    }
    if claims.get("iss") == "the other client":
        claims["iss"] = second.agent.id
    with assert_unchanged(first.server):
        answer = first.ask(user, **claims)
    check_refusal(answer, 400, "invalid_request")


@pytest.mark.parametrize("module", ["FC-23", "FC-24", "FC-26"])
def test_an_invalid_signature_is_refused(
    clients: tuple[SuiteClient, SuiteClient], user: str, module: str
) -> None:
    """FC-23, FC-24, FC-26: an unsigned, altered or other client's request is refused."""
    first, second = clients
    claims = first.claims(user)
    header = {"alg": "none", "kid": first.key.jwk["kid"], "typ": "oauth-authz-req+jwt"}
    head, body, signature = first.key.sign(claims).split(".")
    altered = ("A" if signature[0] != "A" else "B") + signature[1:]
    request = {
        "FC-23": make_jwt(header, claims),
        "FC-24": f"{head}.{body}.{altered}",
        "FC-26": second.key.sign(claims),
    }[module]
    with assert_unchanged(first.server):
        answer = first.send(request)
    check_refusal(answer, 400, "invalid_request")


def test_a_binding_message_that_is_too_long_is_refused(
    clients: tuple[SuiteClient, SuiteClient], user: str
) -> None:
    """FC-10, FC-A11, DE-11: the error is invalid_binding_message, as the suite expects."""
    message = "1234 \U0001f44d\U0001f3ff 品川 " * 40
    with assert_unchanged(clients[0].server):
        answer = clients[0].ask(user, binding_message=message)
    check_refusal(answer, 400, "invalid_binding_message")


def test_another_clients_auth_req_id_is_invalid_grant(
    clients: tuple[SuiteClient, SuiteClient], person: Terminal
) -> None:
    """FC-28: the other client gets nothing, and the owner still gets the tokens."""
    reply = clients[0].ask_and_check(person.user)
    check_refusal(clients[1].poll(reply["auth_req_id"]), 400, "invalid_grant")
    person.approve(_find_pending(person, reply))
    check_refusal(clients[1].poll(reply["auth_req_id"]), 400, "invalid_grant")
    assert clients[0].poll(reply["auth_req_id"]).status_code == 200


def test_a_client_id_beside_anothers_assertion_is_refused(
    clients: tuple[SuiteClient, SuiteClient], user: str
) -> None:
    """FC-29 to FC-31, without certificates: a request belongs to one client."""
    first, second = clients
    reply = first.ask_and_check(user)
    other = {"client_id": second.agent.id, **first.assertion()}
    form = {"grant_type": CIBA, "auth_req_id": reply["auth_req_id"], **other}
    check_refusal(first.http.post("/token", data=form), 401, "invalid_client")
    other = {"client_id": second.agent.id, **first.assertion()}
    with assert_unchanged(first.server):
        answer = first.http.post("/bc-authorize", data={"request": "a.b.c", **other})
    check_refusal(answer, 401, "invalid_client")


def test_calls_without_an_assertion_are_refused(
    clients: tuple[SuiteClient, SuiteClient], user: str
) -> None:
    """FC-32, FC-33: both endpoints refuse a call without an assertion."""
    reply = clients[0].ask_and_check(user)
    form = {"grant_type": CIBA, "auth_req_id": reply["auth_req_id"]}
    for more in ({}, {"client_id": clients[0].agent.id}):
        answer = clients[0].http.post("/token", data={**form, **more})
        check_refusal(answer, 401, "invalid_client")
        with assert_unchanged(clients[0].server):
            answer = clients[0].http.post("/bc-authorize", data={"request": "a.b.c", **more})
        check_refusal(answer, 401, "invalid_client")


def test_an_assertion_for_the_issuer_is_accepted(
    clients: tuple[SuiteClient, SuiteClient], user: str
) -> None:
    """FC-36: both endpoints accept the issuer as audience, as RFC 10070 requires."""
    reply = clients[0].ask_and_check(user)
    clients[0].check_pending(reply["auth_req_id"])


def test_agents_get_no_refresh_token(
    clients: tuple[SuiteClient, SuiteClient], person: Terminal
) -> None:
    """FC-43: an access token cannot be used as a refresh token."""
    reply = clients[0].ask_and_check(person.user)
    person.approve(_find_pending(person, reply))
    body = clients[0].poll(reply["auth_req_id"]).json()
    assert "refresh_token" not in body
    form = {"grant_type": "refresh_token", "refresh_token": body["access_token"]}
    answer = clients[0].http.post("/token", data={**form, **clients[0].assertion()})
    assert answer.status_code in {400, 401}
    assert "access_token" not in answer.json()
