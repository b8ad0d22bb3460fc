"""RFC 9396 beyond the parameter: which types there are, and which of them a client may use."""

import json

import httpx

from server.services.agent_forms import AgentChanges
from server.services.agents import Agents
from tests.support.agent import PAYMENT_DETAILS, Agent, new_agent
from tests.support.refusals import check_refusal, unchanged
from tests.support.server import BY, LiveServer

_TYPE = "payment.transfer"


def test_discovery_names_the_types_that_are_registered(http: httpx.Client) -> None:
    """RA-15: `authorization_details_types_supported`, in both documents."""
    for name in ("openid-configuration", "oauth-authorization-server"):
        document = http.get(f"/.well-known/{name}").json()
        assert document["authorization_details_types_supported"] == [_TYPE]


def test_a_client_that_is_held_to_other_types_is_refused(server: LiveServer, user: str) -> None:
    """RA-15: nobody is asked, and one good object of two helps nothing."""
    agent = new_agent(server, action_types=())
    for details in (PAYMENT_DETAILS, [*PAYMENT_DETAILS, *PAYMENT_DETAILS]):
        with unchanged(server):
            response = agent.ask(
                user,
                scope="openid payments:transfer",
                authorization_details=json.dumps(details),
            )
        check_refusal(response, 400, "invalid_authorization_details")
    assert agent.ask(user).status_code == 200
    agent.http.close()


def test_a_client_that_is_held_to_this_type_may_ask_for_it(server: LiveServer, user: str) -> None:
    """RA-15: the limit is no more than that, and takes effect at the next request."""
    agent = new_agent(server, action_types=(_TYPE,))
    assert agent.ask_payment(user).status_code == 200
    _limit(server, agent, ())
    check_refusal(agent.ask_payment(user), 400, "invalid_authorization_details")
    agent.http.close()


def _limit(server: LiveServer, agent: Agent, types: tuple[str, ...]) -> None:
    services = server.services
    agents = Agents(services.store, services.secrets)
    agents.update(agent.key.id, AgentChanges(action_types=types), by=BY)
