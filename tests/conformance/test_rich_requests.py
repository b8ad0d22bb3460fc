"""RFC 9396 beyond the parameter: the registered types, and which types a client may use."""

import json

import httpx
import pytest

from server.protocol.names import APPROVER_CLIENT
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.agents import Agents
from tests.support.builders.token_chains import LiveChains
from tests.support.checks.refusals import assert_unchanged, check_refusal
from tests.support.clients.agent import PAYMENT_DETAILS, Agent, new_agent
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import BY, LiveServer

_TYPE = "payment.transfer"


def test_discovery_lists_the_registered_types(http: httpx.Client) -> None:
    """RA-15: both documents have `authorization_details_types_supported`."""
    for name in ("openid-configuration", "oauth-authorization-server"):
        document = http.get(f"/.well-known/{name}").json()
        assert document["authorization_details_types_supported"] == [_TYPE]


def test_a_client_restricted_to_other_types_is_refused(server: LiveServer, user: str) -> None:
    """RA-15: such a request is refused, and nobody is asked."""
    agent = new_agent(server, action_types=())
    for details in (PAYMENT_DETAILS, [*PAYMENT_DETAILS, *PAYMENT_DETAILS]):
        with assert_unchanged(server):
            response = agent.ask(
                user,
                scope="openid payments:transfer",
                authorization_details=json.dumps(details),
            )
        check_refusal(response, 400, "invalid_authorization_details")
    assert agent.ask(user).status_code == 200
    agent.http.close()


def test_a_client_restricted_to_a_type_may_request_it(server: LiveServer, user: str) -> None:
    """RA-15: a changed restriction applies to the next request."""
    agent = new_agent(server, action_types=(_TYPE,))
    assert agent.ask_payment(user).status_code == 200
    _restrict_to(server, agent, ())
    check_refusal(agent.ask_payment(user), 400, "invalid_authorization_details")
    agent.http.close()


def _restrict_to(server: LiveServer, agent: Agent, types: tuple[str, ...]) -> None:
    services = server.services
    agents = Agents(services.store, services.secrets)
    agents.update(agent.key.id, AgentChanges(action_types=types), by=BY)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/token", {"grant_type": "refresh_token", "refresh_token": "x"}),
        ("/token", {"grant_type": "urn:sayso:grant-type:enrollment", "code": "x"}),
        ("/device_authorization", {}),
    ],
)
@pytest.mark.parametrize("details", [json.dumps(PAYMENT_DETAILS), "[", '[{"type":"x"}]'])
def test_details_are_refused_where_no_action_is_requested(
    server: LiveServer, http: httpx.Client, path: str, form: dict[str, str], details: str
) -> None:
    """RA-08: even valid details are refused, so that nobody believes that they were accepted."""
    parameters = {"client_id": APPROVER_CLIENT, "authorization_details": details, **form}
    with assert_unchanged(server):
        check_refusal(http.post(path, data=parameters), 400, "invalid_authorization_details")


def test_an_exchange_respects_the_types_of_its_agent(
    server: LiveServer, http: httpx.Client, person: Terminal
) -> None:
    """RA-08, RA-15: an agent that may use no type cannot exchange a token with details."""
    chains = LiveChains(server, http, person.client.profile.user_id)
    chains.prepare()
    restricted = chains.agent(action_types=())
    chains.consent(restricted, "bank:read")
    token = chains.user_token()
    for details in (json.dumps(PAYMENT_DETAILS), "[]", '[{"type":"x"}]'):
        response = chains.exchange(restricted, token, authorization_details=details)
        check_refusal(response, 400, "invalid_authorization_details")
    assert chains.exchange(restricted, token).status_code == 200
