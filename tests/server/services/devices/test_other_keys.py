"""Standing grants are bound to the agent's keys and end when the keys change."""

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
KEYS, OTHER_KEYS = ({"keys": [{**JWK, "kid": kid}]} for kid in ("a", "b"))
KEY_METADATA = {"client_name": "helper", "token_endpoint_auth_method": "private_key_jwt"}


@pytest.fixture
def send_registration(local):
    """A function that sends a registration request of the agent and returns the response."""

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
    return send_registration("POST", "/register", token, {**KEY_METADATA, "jwks": KEYS})


@pytest.fixture
def existing_grant(local, person, registered_agent):
    """A standing grant for the registered agent."""
    return local.admin.standing_grant(
        local.admin.approval(registered_agent["client_id"], person.user.id)
    )


def _replace_keys(send_registration, registered_agent, jwks):
    """Replace the keys in the registration of the agent, as the agent itself."""
    path = f"/register/{registered_agent['client_id']}"
    members = {"client_id": registered_agent["client_id"], **KEY_METADATA, "jwks": jwks}
    return send_registration("PUT", path, registered_agent["registration_access_token"], members)


def _ended(local, grant):
    """Return why the grant ended (None if it is in force) and the actors of the audit entries."""
    entries = local.admin.entries("standing_grant.ended")
    return standing_grants.reload_grant(local, grant).ended_because, [
        entry["actor"] for entry in entries
    ]


def test_registering_different_keys_ends_the_standing_grants(
    local, send_registration, registered_agent, existing_grant
):
    """The agent does this with `PUT /register/<id>` and is the actor in the audit entry."""
    _replace_keys(send_registration, registered_agent, OTHER_KEYS)
    assert _ended(local, existing_grant) == (
        "key_rotated",
        [audit.by_agent(registered_agent["client_id"])],
    )


def test_registering_the_same_keys_keeps_the_standing_grants(
    local, send_registration, registered_agent, existing_grant
):
    """The registered keys do not change, so no grant ends."""
    _replace_keys(send_registration, registered_agent, KEYS)
    assert _ended(local, existing_grant) == (None, [])


def test_changing_from_a_secret_to_keys_ends_the_standing_grants(local, send_registration, person):
    """The grant was created while the agent used different credentials."""
    invitations = Invitations(local.admin.store, local.admin.secrets)
    token = invitations.issue(NewInvitation("ana"), by=BY).token
    registered_agent = send_registration("POST", "/register", token, {"client_name": "helper"})
    grant = local.admin.standing_grant(
        local.admin.approval(registered_agent["client_id"], person.user.id)
    )
    _replace_keys(send_registration, registered_agent, KEYS)
    assert _ended(local, grant)[0] == "key_rotated"


def test_keys_replaced_by_an_administrator_end_the_standing_grants(
    local, registered_agent, existing_grant
):
    """An update that keeps the keys and changes other members does not end them."""
    update = local.admin.agents.update
    update(
        registered_agent["client_id"], AgentChanges(jwks=json.dumps(KEYS), description="x"), by=BY
    )
    assert _ended(local, existing_grant) == (None, [])
    update(registered_agent["client_id"], AgentChanges(jwks=json.dumps(OTHER_KEYS)), by=BY)
    assert _ended(local, existing_grant) == ("key_rotated", [BY])
