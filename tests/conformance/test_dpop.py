"""RFC 9449 at the token endpoint: invalid proofs, and the effects of a valid one."""

import secrets
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest

from server.protocol.names import GRANT_CIBA
from tests.support.checks.refusals import assert_unchanged, check_refusal
from tests.support.clients.agent import Agent
from tests.support.inputs.dpop_proofs import proof_claims, public, sign_proof, thumbprint
from tests.support.inputs.handmade_jwts import Key, hmac_jwt, make_jwt, new_key
from tests.support.servers.server import LiveServer

KEY = new_key("ES256")
OTHER = new_key("ES256")
EDWARDS = new_key("EdDSA")

Header = list[tuple[str, str]]
Make = Callable[[dict[str, Any]], Header]


def _dpop_headers(*values: str) -> Header:
    return [("DPoP", value) for value in values]


def _header(key: Key = KEY, **changes: Any) -> dict[str, Any]:
    return {"typ": "dpop+jwt", "alg": "ES256", "jwk": public(key), **changes}


def _with_claims(**changes: Any) -> Make:
    """Returns a function that makes a proof with changed claims."""

    def make(claims: dict[str, Any]) -> Header:
        all_claims = {**claims, **changes}
        return _dpop_headers(
            sign_proof(
                KEY, {name: value for name, value in all_claims.items() if value is not None}
            )
        )

    return make


def _with_header(**changes: Any) -> Make:
    """Returns a function that makes a proof with a changed header."""
    return lambda claims: _dpop_headers(sign_proof(KEY, claims, **changes))


def _private(claims: dict[str, Any]) -> Header:
    d = KEY.private.private_numbers().private_value.to_bytes(32)
    number = jwt.utils.base64url_encode(d).decode()
    return _dpop_headers(sign_proof(KEY, claims, jwk={**public(KEY), "d": number}))


def _cut(claims: dict[str, Any]) -> Header:
    return _dpop_headers(sign_proof(KEY, claims)[:-4])


_BAD: dict[str, Make] = {
    "DP-01 two": lambda c: _dpop_headers(
        sign_proof(KEY, c), sign_proof(KEY, {**c, "jti": "other"})
    ),
    "DP-02 empty": lambda _: _dpop_headers(""),
    "DP-02 not a JWT": lambda _: _dpop_headers("x"),
    "DP-02 two parts": lambda c: _dpop_headers(sign_proof(KEY, c).rpartition(".")[0]),
    "DP-02 payload not an object": lambda _: _dpop_headers(sign_proof(KEY, ["jti"])),
    "DP-03 no jti": _with_claims(jti=None),
    "DP-03 empty jti": _with_claims(jti=""),
    "DP-03 long jti": _with_claims(jti="x" * 129),
    "DP-04 no htm": _with_claims(htm=None),
    "DP-05 no htu": _with_claims(htu=None),
    "DP-06 no iat": _with_claims(iat=None),
    "DP-07 typ JWT": _with_header(typ="JWT"),
    "DP-07 no typ": _with_header(typ=None),
    "DP-08 alg none": lambda c: _dpop_headers(make_jwt(_header(alg="none"), c)),
    "DP-09 shared": lambda c: _dpop_headers(hmac_jwt(_header(alg="HS256"), c, KEY.pem)),
    "DP-09 oct": lambda c: _dpop_headers(
        hmac_jwt(_header(alg="HS256", jwk={"kty": "oct", "k": "AA"}), c, b"\0")
    ),
    "DP-10 EdDSA": lambda c: _dpop_headers(sign_proof(EDWARDS, c)),
    "DP-11 no jwk": _with_header(jwk=None),
    "DP-11 jwk not an object": _with_header(jwk="x"),
    "DP-12 another key": _with_header(jwk=public(OTHER)),
    "DP-12 cut": _cut,
    "DP-13 private": _private,
    "DP-14 htm": _with_claims(htm="GET"),
    "DP-14 case": _with_claims(htm="post"),
    "DP-14 type": _with_claims(htm=["POST"]),
    "DP-15 path": lambda c: _with_claims(htu=c["htu"] + "/x")(c),
    "DP-15 other": _with_claims(htu="https://other.example/token"),
    "DP-15 type": _with_claims(htu={"url": 1}),
    "DP-16 old": lambda c: _with_claims(iat=c["iat"] - 61)(c),
    "DP-17 ahead": lambda c: _with_claims(iat=c["iat"] + 60)(c),
    "DP-17 type": lambda c: _with_claims(iat=str(c["iat"]))(c),
    "DP-17 huge": _with_claims(iat=2**53 - 1),
    "DP-23 x5c": _with_header(x5c=["MIIB"]),
    "DP-23 x5u": _with_header(x5u="https://keys.example"),
    "DP-23 jku": _with_header(jku="https://keys.example"),
    "DP-23 crit": _with_header(crit=["x"], x=1),
}


def _ask(agent: Agent, headers: Header) -> httpx.Response:
    form = {"grant_type": "client_credentials", "scope": "payments:read"}
    return agent.http.post("/token", data=form, auth=agent.key.basic, headers=headers)


def _claims(server: LiveServer, **changes: Any) -> dict[str, Any]:
    return proof_claims(f"{server.url}/token", server.clock.now(), **changes)


@pytest.mark.parametrize("case", _BAD)
def test_an_invalid_proof_is_refused_at_the_token_endpoint(
    server: LiveServer, agent: Agent, case: str
) -> None:
    """DP-01 to DP-17, DP-23, NG-093: every invalid proof gets the same 400 and no token."""
    with assert_unchanged(server):
        response = _ask(agent, _BAD[case](_claims(server)))
    check_refusal(response, 400, "invalid_dpop_proof")


@pytest.mark.parametrize("member", [{"kid": "x"}, {"x5t": "MIIB"}, {"other": {"a": 1}}], ids=str)
def test_a_header_member_that_is_not_understood_is_ignored(
    server: LiveServer, agent: Agent, member: dict[str, Any]
) -> None:
    """DP-23: a proof has at least `typ`, `alg` and `jwk` (RFC 9449 4.2, RFC 7515 4)."""
    assert _ask(agent, _with_header(**member)(_claims(server))).status_code == 200


@pytest.mark.parametrize(
    "spelling", ["{url}?a=b", "{url}#top", "{shout}", "{dots}", "{number}"], ids=str
)
def test_an_equivalent_htu_is_accepted_at_the_token_endpoint(
    server: LiveServer, agent: Agent, spelling: str
) -> None:
    """DP-15, DP-22: query, fragment, dot segments and the spelling of the host do not count."""
    url = f"{server.url}/token"
    htu = spelling.format(
        url=url,
        shout=url.replace("localhost", "LOCALHOST"),
        dots=f"{server.url}/x/../token",
        number=url.replace("localhost", "127.0.0.1"),
    )
    assert _ask(agent, _dpop_headers(sign_proof(KEY, _claims(server, htu=htu)))).status_code == 200


def test_a_proof_binds_the_token(server: LiveServer, agent: Agent) -> None:
    """DP-30, AT-32: `cnf` contains only the thumbprint of the key."""
    answer = _ask(agent, _dpop_headers(sign_proof(KEY, _claims(server)))).json()
    claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
    assert (answer["token_type"], claims["cnf"]) == ("DPoP", {"jkt": thumbprint(KEY)})


def test_without_a_proof_the_token_is_a_bearer_token(agent: Agent) -> None:
    """DP-31: a client that does not require DPoP gets a bearer token."""
    answer = _ask(agent, []).json()
    assert answer["token_type"] == "Bearer"
    assert "cnf" not in jwt.decode(answer["access_token"], options={"verify_signature": False})


def test_a_client_with_required_dpop_gets_no_token_without_a_proof(
    server: LiveServer, http: httpx.Client
) -> None:
    """DP-32, NG-088: every grant of such a client needs a proof."""
    agent = Agent(server.agent(dpop_bound=True), http)
    handle = agent.request_approval(server.user()[0])
    with assert_unchanged(server):
        without_proof = _ask(agent, [])
        polled = agent.poll(handle)
    for response in (without_proof, polled):
        check_refusal(response, 400, "invalid_dpop_proof")
    assert (
        _ask(agent, _dpop_headers(sign_proof(KEY, _claims(server)))).json()["token_type"] == "DPoP"
    )


def test_a_proof_is_accepted_once_for_all_clients(
    server: LiveServer, agent: Agent, http: httpx.Client
) -> None:
    """DP-21: another client cannot use the proof either, but a different key may use its jti."""
    claims = _claims(server)
    used_proof = _dpop_headers(sign_proof(KEY, claims))
    assert _ask(agent, used_proof).status_code == 200
    for caller in (agent, Agent(server.agent(), http)):
        with assert_unchanged(server):
            check_refusal(_ask(caller, used_proof), 400, "invalid_dpop_proof")
    assert _ask(agent, _dpop_headers(sign_proof(OTHER, claims))).status_code == 200


def test_every_grant_checks_the_proof_first(agent: Agent) -> None:
    """DP-36: an invalid proof is refused before the grant is examined."""
    grants = agent.http.get("/.well-known/openid-configuration").json()["grant_types_supported"]
    for grant in sorted({*grants, GRANT_CIBA}):
        form = {"grant_type": grant, "auth_req_id": "x", "code": secrets.token_hex(4)}
        answer = agent.http.post(
            "/token", data=form, auth=agent.key.basic, headers=_dpop_headers(sign_proof(KEY, {}))
        )
        assert answer.status_code in {400, 401}, grant
        assert answer.json()["error"] in {
            "invalid_dpop_proof",
            "unauthorized_client",
            "invalid_request",
            "invalid_client",
            "invalid_grant",
        }, grant
        if grant in {"client_credentials", GRANT_CIBA}:
            assert answer.json()["error"] == "invalid_dpop_proof"


def test_discovery_lists_the_proof_algorithms(http: httpx.Client) -> None:
    """RFC 9449 5.1: the metadata lists no symmetric algorithm."""
    document = http.get("/.well-known/openid-configuration").json()
    assert document["dpop_signing_alg_values_supported"] == ["ES256"]
