"""OAuth clients written by others get their tokens and understand every refusal.

oauth4webapi checks each answer strictly against the specifications; openid-client does what most
programs do.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jwt
import pytest

from tests.support.builders.installation import PAY
from tests.support.checks.log_and_rows import stored_approval
from tests.support.checks.waiting import until
from tests.support.clients.agent import PAYMENT_DETAILS
from tests.support.clients.terminal import Terminal
from tests.support.clients.third_party import LIBRARIES, ForeignClient, client_settings, run_client
from tests.support.inputs.handmade_jwts import new_key
from tests.support.servers.server import AgentKey, LiveServer

pytestmark = pytest.mark.clients

READ = {"scope": "payments:read", "resource": PAY}
METHODS = ("client_secret_basic", "client_secret_post")
OAUTH4WEBAPI, OPENID_CLIENT = LIBRARIES


@contextmanager
def _asking(
    library: str, server: LiveServer, key: AgentKey, user: str, **more: Any
) -> Iterator[ForeignClient]:
    """Runs a client that asks this user, and yields it after its acknowledgement."""
    method = more.pop("method", "client_secret_basic")
    options = {name: more.pop(name) for name in ("overrides", "paused", "dpop") if name in more}
    parameters = {"scope": "openid payments:read", "resource": PAY, "login_hint": user, **more}
    arguments = client_settings(server, key, method)
    with run_client(
        library, "ciba", **arguments, parameters=parameters, audience=PAY, **options
    ) as client:
        acknowledgement = client.read_event("asked")["asked"]
        assert acknowledgement.keys() >= {"auth_req_id", "expires_in", "interval"}
        yield client


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("algorithm", ["oidc", "oauth2"])
def test_other_clients_discover_the_server(
    server: LiveServer, library: str, algorithm: str
) -> None:
    """CL-14, CL-34: OpenID Discovery and RFC 8414 both work."""
    key = server.agent()
    with run_client(
        library, "discovery", **client_settings(server, key), algorithm=algorithm
    ) as client:
        metadata = client.read_event("done")["metadata"]
    assert metadata["issuer"] == server.url


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("method", METHODS)
def test_other_clients_get_a_client_credentials_token(
    server: LiveServer, library: str, method: str
) -> None:
    """CL-01, CL-02, CL-08, CL-15, CL-17: a resource can verify the token with the same client."""
    key = server.agent(auth_method=method)
    arguments = client_settings(server, key, method)
    with run_client(
        library, "client_credentials", **arguments, parameters=READ, audience=PAY
    ) as client:
        result = client.read_event("done")

    assert result["tokens"]["scope"] == "payments:read"
    assert result["tokens"]["token_type"] == "bearer"
    if library == OAUTH4WEBAPI:
        assert result["access"]["client_id"] == key.id


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("alg", ["ES256", "RS256", "EdDSA"])
def test_other_clients_authenticate_with_a_key(server: LiveServer, library: str, alg: str) -> None:
    """CB-028, CL-18, JB-19: an assertion made by a different library is accepted."""
    pair = new_key(alg)
    key = server.agent(auth_method="private_key_jwt", jwks=json.dumps({"keys": [pair.jwk]}))
    arguments = {**client_settings(server, key, "private_key_jwt"), "jwk": pair.private_jwk}
    with run_client(
        library, "client_credentials", **arguments, parameters=READ, audience=PAY
    ) as client:
        assert client.read_event("done")["tokens"]["access_token"]


@pytest.mark.parametrize("method", METHODS)
def test_a_client_without_a_polling_helper_sees_pending_and_then_the_tokens(
    server: LiveServer, person: Terminal, method: str
) -> None:
    """The client sends details and gets them back in both tokens, whose signatures are valid.

    CL-05, CL-06, CL-07, CL-08, CL-09, CL-17, CL-20.
    """
    key = server.agent(auth_method=method)
    parameters = {
        "scope": "openid payments:transfer",
        "authorization_details": json.dumps(PAYMENT_DETAILS),
        "binding_message": "INV-2291 is due",
    }
    with _asking(OAUTH4WEBAPI, server, key, person.user, method=method, **parameters) as client:
        assert (
            client.read_event("authorization_pending")["status"] == 400
        )  # the client polled without waiting
        person.approve(person.only_request())
        client.resume()
        result = client.read_event("done")

    assert result["tokens"]["token_type"] == "bearer"
    assert result["tokens"]["authorization_details"] == PAYMENT_DETAILS
    assert result["id"]["aud"] == key.id
    assert result["access"]["authorization_details"] == PAYMENT_DETAILS
    assert result["access"]["act"]["sub"] == key.id
    assert result["access"]["sub"] == result["id"]["sub"]


def test_a_client_with_built_in_polling_gets_its_tokens(
    server: LiveServer, person: Terminal
) -> None:
    """CL-30: the client waits for `interval` before its first poll, and accepts the ID token."""
    key = server.agent()
    with _asking(OPENID_CLIENT, server, key, person.user) as client:
        person.approve(person.only_request())
        result = client.read_event("done")

    assert result["id"]["aud"] == key.id
    assert result["tokens"]["token_type"] == "bearer"


def test_a_client_that_polls_too_fast_slows_down_and_gets_its_tokens(
    server: LiveServer, person: Terminal
) -> None:
    """CL-32, CL-35: the client understands slow_down, and a decided request is not paced."""
    key = server.agent()
    with _asking(OPENID_CLIENT, server, key, person.user, overrides={"interval": 1}) as client:
        until(lambda: stored_approval(server, person.only_request().id).polls > 1)
        person.approve(person.only_request())
        assert client.read_event("done")["tokens"]["access_token"]


def test_a_client_that_finds_the_server_busy_retries_and_gets_its_tokens(
    server: LiveServer, person: Terminal
) -> None:
    """CL-31, CB-131: a busy server answers 503 with Retry-After and loses no request."""
    key = server.agent()
    with _asking(
        OPENID_CLIENT, server, key, person.user, overrides={"interval": 0.2}, paused=True
    ) as client:
        person.approve(person.only_request())
        with server.services.store.write():
            client.resume()
            assert client.read_event("busy")["after"] == "1"
        result = client.read_event("done")
    assert result["id"]["aud"] == key.id


@pytest.mark.parametrize("library", LIBRARIES)
def test_other_clients_bind_an_approval_to_a_key(
    server: LiveServer, person: Terminal, library: str
) -> None:
    """CL-17, CL-20, DP-36: with a proof the token of an approval is bound to its key."""
    key = server.agent()
    overrides = {"interval": 0.2}
    options = {"overrides": overrides, "paused": True, "dpop": True}
    with _asking(library, server, key, person.user, **options) as client:
        if library == OAUTH4WEBAPI:
            client.read_event("authorization_pending")
        person.approve(person.only_request())
        client.resume()
        result = client.read_event("done")
    assert result["tokens"]["token_type"] == "dpop"
    claims = jwt.decode(result["tokens"]["access_token"], options={"verify_signature": False})
    assert claims["cnf"] == {"jkt": result["thumbprint"]}


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_denial_reaches_other_clients(server: LiveServer, person: Terminal, library: str) -> None:
    """CB-134, CB-145, CL-03, CL-04, CL-32: the client reports access_denied."""
    key = server.agent()
    overrides = {"interval": 0.2}
    with _asking(library, server, key, person.user, overrides=overrides) as client:
        person.deny(person.only_request())
        if library == OAUTH4WEBAPI and client.read_event("authorization_pending"):
            client.resume()
        refused = client.read_event("refused")

    assert (refused["status"], refused["error"]) == (400, "access_denied")


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_wrong_secret_reaches_other_clients(server: LiveServer, library: str) -> None:
    """CB-024, CL-03, CL-04: each method gets a challenge (RFC 9110 15.5.2)."""
    for method in METHODS:
        key = server.agent(auth_method=method)
        arguments = {**client_settings(server, key, method), "secret": "wrong"}
        with run_client(library, "client_credentials", **arguments, parameters=READ) as client:
            refused = client.read_event("refused")
        assert (refused["status"], refused["code"]) == (401, "OAUTH_WWW_AUTHENTICATE_CHALLENGE")


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_refused_request_reaches_other_clients(
    server: LiveServer, user: str, library: str
) -> None:
    """CL-04: the client understands an error of the backchannel endpoint."""
    parameters = {"scope": "openid payments:read", "resource": "https://other.example"}
    arguments = client_settings(server, server.agent())
    with run_client(
        library, "ciba", **arguments, parameters={**parameters, "login_hint": user}
    ) as client:
        refused = client.read_event("refused")
    assert (refused["status"], refused["error"]) == (400, "invalid_target")
