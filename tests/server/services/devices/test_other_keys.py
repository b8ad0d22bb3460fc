"""Standing grants are for an agent with its keys: other keys end them."""

import json

import pytest

from server.services.audit import audit
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.invitations import Invitations, NewInvitation
from tests.support.builders import standing_grants
from tests.support.builders.installation import BY

JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
ONE, OTHER = ({"keys": [{**JWK, "kid": kid}]} for kid in ("a", "b"))
KEYED = {"client_name": "helper", "token_endpoint_auth_method": "private_key_jwt"}


@pytest.fixture
def send_registration(local):
    """Sends a registration request of the agent."""

    def send(method, path, token, members):
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        answer = local.send(method, path, headers=headers, body=json.dumps(members).encode())
        assert answer.status in {200, 201}, answer.body
        return answer.json

    return send


@pytest.fixture
def registered_agent(local, person, send_registration):
    """An agent that registered itself with a key."""
    assert person.user.name == "ana"
    invitations = Invitations(local.admin.store, local.admin.secrets)
    token = invitations.issue(NewInvitation("ana"), by=BY).token
    return send_registration("POST", "/register", token, {**KEYED, "jwks": ONE})


@pytest.fixture
def existing_grant(local, person, registered_agent):
    """A standing grant for that agent."""
    return local.admin.standing_grant(
        local.admin.approval(registered_agent["client_id"], person.user.id)
    )


def _put(send_registration, registered_agent, jwks):
    """The agent changes its own registration."""
    path = f"/register/{registered_agent['client_id']}"
    members = {"client_id": registered_agent["client_id"], **KEYED, "jwks": jwks}
    return send_registration("PUT", path, registered_agent["registration_access_token"], members)


def _ended(local, grant):
    """Why the grant ended, and the actors of the audit entries."""
    entries = local.admin.entries("standing_grant.ended")
    return standing_grants.now_of(local, grant).ended_because, [entry["actor"] for entry in entries]


def test_registering_other_keys_ends_the_standing_grants(
    local, send_registration, registered_agent, existing_grant
):
    """`PUT /register/<id>` with another key; the actor is the agent."""
    _put(send_registration, registered_agent, OTHER)
    assert _ended(local, existing_grant) == (
        "key_rotated",
        [audit.by_agent(registered_agent["client_id"])],
    )


def test_registering_the_same_keys_ends_nothing(
    local, send_registration, registered_agent, existing_grant
):
    """The standing grants stay."""
    _put(send_registration, registered_agent, ONE)
    assert _ended(local, existing_grant) == (None, [])


def test_changing_from_a_secret_to_keys_ends_the_standing_grants(local, send_registration, person):
    """The agent authenticates in another way."""
    invitations = Invitations(local.admin.store, local.admin.secrets)
    token = invitations.issue(NewInvitation("ana"), by=BY).token
    registered_agent = send_registration("POST", "/register", token, {"client_name": "helper"})
    grant = local.admin.standing_grant(
        local.admin.approval(registered_agent["client_id"], person.user.id)
    )
    _put(send_registration, registered_agent, ONE)
    assert _ended(local, grant)[0] == "key_rotated"


def test_keys_replaced_by_an_administrator_end_the_standing_grants(
    local, registered_agent, existing_grant
):
    """`agents update --jwks`; other changes with the same keys do not."""
    update = local.admin.agents.update
    update(
        registered_agent["client_id"], AgentChanges(jwks=json.dumps(ONE), description="x"), by=BY
    )
    assert _ended(local, existing_grant) == (None, [])
    update(registered_agent["client_id"], AgentChanges(jwks=json.dumps(OTHER)), by=BY)
    assert _ended(local, existing_grant) == ("key_rotated", [BY])
