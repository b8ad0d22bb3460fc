"""Clients written by others exchange, bind, introspect and revoke our tokens.

The specifications are RFC 8693, RFC 9449, RFC 7662 and RFC 7009.
"""

import httpx
import pytest

from tests.support.builders.installation import BY, PAY
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal
from tests.support.clients.third_party import LIBRARIES, client_settings, run_client
from tests.support.servers.server import AgentKey, LiveServer

pytestmark = pytest.mark.clients

READ = {"scope": "payments:read", "resource": PAY}
OAUTH4WEBAPI, OPENID_CLIENT = LIBRARIES


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Settings with which the server requires nonces."""
    return {"dpop_nonce": "required"}


@pytest.fixture(scope="module")
def resource(server: LiveServer) -> AgentKey:
    """The payment API's credentials."""
    rotated = server.resources.rotate_secret(PAY, by=BY)
    return AgentKey(rotated.resource.client_id, rotated.secret, PAY)


@pytest.fixture
def token(agent: Agent) -> str:
    """A token with which the agent acts for itself."""
    form = {"grant_type": "client_credentials", **READ}
    access_token: str = agent.http.post("/token", data=form, auth=agent.key.basic).json()[
        "access_token"
    ]
    return access_token


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> str:
    """Each of the two libraries."""
    name: str = request.param
    return name


def test_other_clients_bind_their_tokens_to_a_key(
    server: LiveServer, agent: Agent, library: str
) -> None:
    """CL-19, CL-33, DP-40: after one retry with the server's nonce, the token has the key."""
    arguments = client_settings(server, agent.key)
    with run_client(
        library, "client_credentials", **arguments, dpop=True, parameters=READ
    ) as client:
        if library == OAUTH4WEBAPI:
            client.read_event("nonce")
        result = client.read_event("done")

    assert result["tokens"]["token_type"] == "dpop"
    introspected = _introspect(server, agent.key, result["tokens"]["access_token"], library)
    assert introspected["cnf"] == {"jkt": result["thumbprint"]}


def _introspect(server: LiveServer, key: AgentKey, token: str, library: str) -> dict[str, object]:
    with run_client(
        library, "introspection", **client_settings(server, key), token=token
    ) as client:
        answer: dict[str, object] = client.read_event("done")["answer"]
    return answer


def test_other_clients_introspect_tokens(
    server: LiveServer, agent: Agent, resource: AgentKey, token: str, library: str
) -> None:
    """CL-12: the client learns which token is active and whose it is."""
    answer = _introspect(server, resource, token, library)
    assert (answer["active"], answer["client_id"]) == (True, agent.key.id)
    assert _introspect(server, resource, token[:-4], library) == {"active": False}


def test_other_clients_get_a_signed_introspection_response(
    server: LiveServer, agent: Agent, resource: AgentKey, token: str
) -> None:
    """CL-12: the client verifies the JWT with our published keys."""
    arguments = {**client_settings(server, resource), "metadata": {}}
    with run_client(OAUTH4WEBAPI, "introspection", **arguments, token=token, signed=True) as client:
        answer = client.read_event("done")["answer"]
    assert (answer["active"], answer["client_id"]) == (True, agent.key.id)


def test_other_clients_revoke_tokens(
    server: LiveServer, agent: Agent, resource: AgentKey, token: str, library: str
) -> None:
    """CL-02, RV-04: the revocation gets 200 and takes effect immediately."""
    with run_client(
        library, "revocation", **client_settings(server, agent.key), token=token
    ) as client:
        client.read_event("done")
    assert _introspect(server, resource, token, library) == {"active": False}


@pytest.fixture
def delegated_token(server: LiveServer, http: httpx.Client, person: Terminal) -> str:
    """A token with which an agent acts for a user at the payment API."""
    asking = Agent(server.agent(), http)
    handle = asking.request_approval(person.user)
    person.approve(person.only_request())
    access_token: str = asking.poll(handle).json()["access_token"]
    return access_token


def test_other_clients_exchange_tokens(
    server: LiveServer, delegated_token: str, library: str
) -> None:
    """CL-10, TX-060, TX-064, TX-071: the result is an access token that names both actors."""
    key = server.agent(serves=(PAY,))
    parameters = {
        "subject_token": delegated_token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        **READ,
    }
    arguments = client_settings(server, key)
    with run_client(
        library, "token_exchange", **arguments, parameters=parameters, audience=PAY
    ) as client:
        result = client.read_event("done")

    kind = "urn:ietf:params:oauth:token-type:access_token"
    assert result["tokens"]["issued_token_type"] == kind
    if library == OAUTH4WEBAPI:
        assert result["access"]["act"]["sub"] == key.id
        assert result["access"]["act"]["act"]["sub"] != key.id
