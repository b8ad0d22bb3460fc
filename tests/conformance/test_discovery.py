"""RFC 8414, OpenID Connect Discovery, CIBA Core 4, RFC 7517: the metadata is true."""

import json
import socket
from typing import Any

import httpx
import jwt
import pytest

from server.services.clients.invitations import Invitations, NewInvitation
from tests.support.builders.installation import PAY
from tests.support.checks.refusals import check_refusal
from tests.support.clients.agent import CIBA, Agent
from tests.support.inputs.dpop_proofs import proof
from tests.support.inputs.handmade_jwts import assertion_claims, assertion_form, new_key
from tests.support.servers.server import BY, LiveServer

OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"


@pytest.fixture(scope="module")
def document(server: LiveServer) -> dict[str, Any]:
    """The discovery document."""
    with server.client() as http:
        metadata: dict[str, Any] = http.get(OPENID).json()
    return metadata


def test_both_discovery_documents_agree(http: httpx.Client, document: dict[str, Any]) -> None:
    """MD-03, MD-10, MD-15, MC-01: both are the same JSON and can be read across origins."""
    answers = [http.get(path) for path in (OPENID, OAUTH)]

    assert answers[0].json() == answers[1].json() == document
    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["access-control-allow-origin"] == "*"


def test_the_issuer_and_its_endpoints(server: LiveServer, document: dict[str, Any]) -> None:
    """MD-01, MD-06, CL-14, CB-002: the issuer is the server's URL, with all endpoints below it."""
    assert document["issuer"] == server.url
    urls = {name: value for name, value in document.items() if name.endswith(("endpoint", "_uri"))}
    assert urls == {
        "authorization_endpoint": f"{server.url}/authorize",
        "pushed_authorization_request_endpoint": f"{server.url}/par",
        "userinfo_endpoint": f"{server.url}/userinfo",
        "end_session_endpoint": f"{server.url}/logout",
        "token_endpoint": f"{server.url}/token",
        "backchannel_authentication_endpoint": f"{server.url}/bc-authorize",
        "introspection_endpoint": f"{server.url}/introspect",
        "revocation_endpoint": f"{server.url}/revoke",
        "device_authorization_endpoint": f"{server.url}/device_authorization",
        "registration_endpoint": f"{server.url}/register",
        "jwks_uri": f"{server.url}/jwks",
    }


def test_required_members_are_present_and_none_is_empty(document: dict[str, Any]) -> None:
    """MD-04, MD-05, CB-001, CB-003, CB-005: no algorithm is `none` or symmetric."""
    assert document["backchannel_token_delivery_modes_supported"] == ["poll", "ping", "push"]
    assert document["backchannel_user_code_parameter_supported"] is True
    assert CIBA in document["grant_types_supported"]
    assert {"issuer", "response_types_supported", "subject_types_supported"} <= document.keys()
    assert [name for name, value in document.items() if value in ([], None, "")] == []
    for name, algs in document.items():
        if name.endswith("alg_values_supported"):
            assert not {"none"} & set(algs)
            assert not [alg for alg in algs if alg.startswith("HS")]


@pytest.mark.parametrize("endpoint", ["token", "introspection", "revocation"])
def test_every_endpoint_lists_the_algorithms_of_client_assertions(
    document: dict[str, Any], endpoint: str
) -> None:
    """MD-07: an endpoint that accepts `private_key_jwt` must name its algorithms (RFC 8414 2)."""
    assert "private_key_jwt" in document[f"{endpoint}_endpoint_auth_methods_supported"]
    algs = document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
    assert algs == ["ES256", "EdDSA", "RS256", "PS256", "Ed25519"]


_EXPECTED = {
    "authorization_details_types_supported",
    "authorization_endpoint",
    "authorization_response_iss_parameter_supported",
    "acr_values_supported",
    "backchannel_authentication_endpoint",
    "backchannel_authentication_request_signing_alg_values_supported",
    "backchannel_token_delivery_modes_supported",
    "backchannel_user_code_parameter_supported",
    "code_challenge_methods_supported",
    "device_authorization_endpoint",
    "dpop_signing_alg_values_supported",
    "grant_types_supported",
    "introspection_endpoint",
    "issuer",
    "jwks_uri",
    "pushed_authorization_request_endpoint",
    "registration_endpoint",
    "response_modes_supported",
    "response_types_supported",
    "revocation_endpoint",
    "token_endpoint",
    "token_endpoint_auth_methods_supported",
    "userinfo_endpoint",
}
_UNSUPPORTED = {
    "authorization_grant_profiles_supported",
    "check_session_iframe",
    "client_id_metadata_document_supported",
    "identity_chaining_requested_token_types_supported",
    "mtls_endpoint_aliases",
    "protected_resources",
    "signed_metadata",
    "tls_client_certificate_bound_access_tokens",
}


def test_every_supported_feature_is_advertised(document: dict[str, Any]) -> None:
    """MD-08, MD-12: no client has to rely on a default value."""
    assert _EXPECTED - document.keys() == set()
    assert document["dpop_signing_alg_values_supported"] == ["ES256"]


def test_unsupported_features_are_not_advertised(document: dict[str, Any]) -> None:
    """CB-004, CB-006, MD-11, MD-12: `false` is stated where the default would be `true`."""
    assert document["request_uri_parameter_supported"] is False
    assert document["request_parameter_supported"] is False
    assert document["subject_types_supported"] == ["public"]
    assert _UNSUPPORTED & document.keys() == set()


def test_only_public_metadata_is_readable_across_origins(http: httpx.Client, agent: Agent) -> None:
    """MD-15, RV-15, BC-12: a page of another origin cannot read answers about a client or user."""
    origin = {"Origin": "https://evil.example"}
    ask = {"grant_type": "client_credentials", "scope": "payments:read"}
    answers = [
        http.post("/token", data=ask, auth=agent.key.basic, headers=origin),
        http.post("/bc-authorize", auth=agent.key.basic, headers=origin),
        http.post("/introspect", data={"token": "x"}, auth=agent.key.basic, headers=origin),
        http.post("/revoke", data={"token": "x"}, auth=agent.key.basic, headers=origin),
        http.post("/register", json={}, headers=origin),
        http.post("/par", data={}, headers=origin),
        *(http.get(path, headers=origin) for path in ("/authorize", "/userinfo", "/api/me")),
        *(http.options(path, headers=origin) for path in ("/token", "/revoke", "/authorize")),
    ]
    assert answers[0].status_code == 200
    for answer in answers:
        assert "access-control-allow-origin" not in answer.headers, answer.request.url


def test_every_action_type_is_advertised(document: dict[str, Any]) -> None:
    """RA-15: the metadata lists the registered types by their names."""
    assert document["authorization_details_types_supported"] == ["payment.transfer"]


def test_every_advertised_grant_is_supported(agent: Agent, document: dict[str, Any]) -> None:
    """CB-006, MD-11: every grant that is not advertised gets unsupported_grant_type."""
    for grant in document["grant_types_supported"]:
        form = {"grant_type": grant, "scope": "payments:read", "client_id": agent.key.id}
        answer = agent.http.post("/token", data=form, auth=agent.key.basic)
        assert answer.json().get("error") != "unsupported_grant_type"
    for grant in (
        "implicit",
        "password",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
    ):
        assert grant not in document["grant_types_supported"]
        answer = agent.http.post("/token", data={"grant_type": grant}, auth=agent.key.basic)
        check_refusal(answer, 400, "unsupported_grant_type")


def test_every_advertised_method_and_algorithm_works(
    server: LiveServer, http: httpx.Client, document: dict[str, Any]
) -> None:
    """CB-006, CB-014, MD-11: each method and algorithm can be registered or used to get a token."""
    ask = {"grant_type": "client_credentials", "scope": "payments:read"}
    accepted_methods = set()
    for method in document["token_endpoint_auth_methods_supported"]:
        if method in {
            "private_key_jwt",
            "none",
        }:  # the first is tested below, the other is only for apps
            continue
        agent = server.agent(auth_method=method)
        if method == "client_secret_basic":
            answer = http.post("/token", data=ask, auth=agent.basic)
        else:
            body = {"client_id": agent.id, "client_secret": agent.secret}
            answer = http.post("/token", data={**ask, **body})
        assert answer.status_code == 200, (method, answer.text)
        accepted_methods.add(method)
    for alg in document["token_endpoint_auth_signing_alg_values_supported"]:
        key = new_key(alg, f"discovered-{alg}")
        agent = server.agent(auth_method="private_key_jwt", jwks=json.dumps(key.jwk))
        claims = assertion_claims(agent.id, server.url, server.clock.now())
        answer = http.post("/token", data={**ask, **assertion_form(key.sign(claims))})
        assert answer.status_code == 200, (alg, answer.text)

    for alg in document["backchannel_authentication_request_signing_alg_values_supported"]:
        registered = _register_with_algorithm(server, http, new_key(alg, f"signing-{alg}").jwk, alg)
        assert registered.status_code == 201, (alg, registered.text)
        algs = {registered.json()["backchannel_authentication_request_signing_alg"]}
        algs.add(registered.json()["token_endpoint_auth_signing_alg"])
        assert algs == {"EdDSA" if alg == "Ed25519" else alg}

    assert accepted_methods == {"client_secret_basic", "client_secret_post"}
    signing = set(document["id_token_signing_alg_values_supported"])
    published = {key["alg"] for key in http.get("/jwks").json()["keys"]}
    assert signing == published == {"ES256", "EdDSA", "RS256"}


def _register_with_algorithm(
    server: LiveServer, http: httpx.Client, jwk: dict[str, str], alg: str
) -> httpx.Response:
    """Registers an agent that signs its assertions and requests with this algorithm."""
    return _register(
        server,
        http,
        token_endpoint_auth_method="private_key_jwt",
        token_endpoint_auth_signing_alg=alg,
        backchannel_authentication_request_signing_alg=alg,
        jwks={"keys": [jwk]},
    )


def _register(server: LiveServer, http: httpx.Client, **metadata: Any) -> httpx.Response:
    """Registers an agent with this metadata by an invitation."""
    owner, _ = server.user()
    invitations = Invitations(server.services.store, server.services.secrets)
    invitation = invitations.issue(NewInvitation(owner), by=BY)
    headers = {"Authorization": f"Bearer {invitation.token}"}
    return http.post("/register", json=metadata, headers=headers)


def test_every_advertised_delivery_mode_and_id_token_algorithm_registers(
    server: LiveServer, http: httpx.Client, document: dict[str, Any]
) -> None:
    """CB-006, CB-007: the registration response repeats the mode and the algorithm."""
    mode = "backchannel_token_delivery_mode"
    endpoint = {"backchannel_client_notification_endpoint": "http://127.0.0.1:9/x"}
    for value in document["backchannel_token_delivery_modes_supported"]:
        members = {mode: value, **({} if value == "poll" else endpoint)}
        assert _register(server, http, **members).json()[mode] == value
    name = "id_token_signed_response_alg"
    for value in document["id_token_signing_alg_values_supported"]:
        assert _register(server, http, **{name: value}).json()[name] == value


def test_every_advertised_proof_and_introspection_algorithm_works(
    server: LiveServer, http: httpx.Client, agent: Agent, document: dict[str, Any]
) -> None:
    """CB-006, MD-11: each proof binds the token, and the signed response has the only algorithm."""
    ask = {"grant_type": "client_credentials", "scope": "payments:read"}
    for alg in document["dpop_signing_alg_values_supported"]:
        header_value = proof(new_key(alg), f"{server.url}/token", server.clock.now())
        answer = http.post("/token", data=ask, auth=agent.key.basic, headers={"DPoP": header_value})
        assert answer.json()["token_type"] == "DPoP"
    signed = http.post(
        "/introspect",
        data={"token": "x"},
        auth=agent.key.basic,
        headers={"Accept": "application/token-introspection+jwt"},
    )
    alg_of_response = jwt.get_unverified_header(signed.text)["alg"]
    assert document["introspection_signing_alg_values_supported"] == [alg_of_response]


def test_published_keys_have_no_private_half(http: httpx.Client) -> None:
    """MD-14, CL-15: every key has a kid, a use and an alg, and no private member."""
    answer = http.get("/jwks")
    keys = answer.json()["keys"]

    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert len({key["kid"] for key in keys}) == len(keys) >= 3
    for key in keys:
        assert {"kty", "kid", "use", "alg"} <= key.keys()
        assert key["use"] == "sig"
        assert not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & key.keys()


_SPOOFS: dict[str, dict[str, str]] = {
    "host": {"Host": "evil.example"},
    "host-port": {"Host": "localhost:1"},
    "host-path": {"Host": "evil.example/x"},
    "forwarded-host": {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
    "forwarded-prefix": {"X-Forwarded-Prefix": "/evil", "X-Forwarded-Port": "1"},
    "forwarded": {"Forwarded": "host=evil.example;proto=https;for=1.2.3.4"},
    "original-url": {"X-Original-URL": "/evil", "X-Rewrite-URL": "/evil"},
    "script-name": {"X-Script-Name": "/evil", "SCRIPT_NAME": "/evil"},
}


@pytest.mark.parametrize("case", _SPOOFS)
@pytest.mark.parametrize("path", [OPENID, OAUTH, "/jwks", "/api/openapi.json", "/enroll"])
def test_no_request_header_changes_the_metadata(http: httpx.Client, path: str, case: str) -> None:
    """MD-13, NG-107: URLs are built from the issuer, and the page redirects nowhere else."""
    honest, spoofed = http.get(path), http.get(path, headers=_SPOOFS[case])

    assert "evil" not in spoofed.text
    assert "evil" not in str(spoofed.headers)
    if path == "/enroll" and case.startswith("host"):
        assert spoofed.status_code in {303, 400}
        where = spoofed.headers.get("location", "")
        assert where in {"", f"{str(http.base_url).rstrip('/')}/enroll"}
    elif spoofed.status_code != 400:
        assert spoofed.content == honest.content


def test_another_host_header_does_not_change_the_token(server: LiveServer, agent: Agent) -> None:
    """MD-13: the `iss` of a token is the issuer, whatever the request's host is."""
    ask = {"grant_type": "client_credentials", "scope": "payments:read", "resource": PAY}
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    answer = agent.http.post("/token", data=ask, auth=agent.key.basic, headers=headers)
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})

    assert claims["iss"] == server.url


def test_an_absolute_request_target_of_another_host_is_refused(server: LiveServer) -> None:
    """MD-13: the request gets 400, and the answer repeats nothing of it."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as line:
        target = f"http://evil.example{OPENID}"
        line.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: line.recv(65_536), b""))

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"evil" not in answer


def test_app_features_are_advertised_correctly(document: dict[str, Any]) -> None:
    """MD-09, MC-02, BC-06, BC-08, BC-13: apps use codes with S256 and get answers with `iss`."""
    assert document["response_types_supported"] == ["code"]
    assert document["response_modes_supported"] == ["query", "form_post"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["scopes_supported"] == ["email", "openid", "profile"]
