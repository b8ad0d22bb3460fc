"""A grant given ahead is for an agent with its keys: other ones end it, whoever brings them."""

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
def site(local):
    """Sends what an agent says of itself."""

    def send(method, path, token, members):
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        answer = local.send(method, path, headers=headers, body=json.dumps(members).encode())
        assert answer.status in {200, 201}, answer.body
        return answer.json

    return send


@pytest.fixture
def told(local, person, site):
    """An agent that registered itself with a key."""
    assert person.user.name == "ana"
    invitations = Invitations(local.desk.store, local.desk.secrets)
    token = invitations.issue(NewInvitation("ana"), by=BY).token
    return site("POST", "/register", token, {**KEYED, "jwks": ONE})


@pytest.fixture
def given(local, person, told):
    """What was given ahead to that agent."""
    return local.desk.standing_grant(local.desk.approval(told["client_id"], person.user.id))


def _put(site, told, jwks):
    """The agent changes its own registration."""
    path = f"/register/{told['client_id']}"
    members = {"client_id": told["client_id"], **KEYED, "jwks": jwks}
    return site("PUT", path, told["registration_access_token"], members)


def _ended(local, grant):
    """Why it ended, and who did that by the log."""
    entries = local.desk.entries("standing_grant.ended")
    return standing_grants.now_of(local, grant).ended_because, [entry["actor"] for entry in entries]


def test_an_agent_that_registers_other_keys_ends_what_was_given_to_it(local, site, told, given):
    """`PUT /register/<id>` with another key; the log names the agent."""
    _put(site, told, OTHER)
    assert _ended(local, given) == ("key_rotated", [audit.by_agent(told["client_id"])])


def test_an_agent_that_says_its_keys_once_more_ends_nothing(local, site, told, given):
    """The same keys are no other ones."""
    _put(site, told, ONE)
    assert _ended(local, given) == (None, [])


def test_an_agent_that_goes_from_a_secret_to_keys_ends_what_was_given(local, site, person):
    """It proves itself by something else from now on."""
    invitations = Invitations(local.desk.store, local.desk.secrets)
    token = invitations.issue(NewInvitation("ana"), by=BY).token
    told = site("POST", "/register", token, {"client_name": "helper"})
    grant = local.desk.standing_grant(local.desk.approval(told["client_id"], person.user.id))
    _put(site, told, ONE)
    assert _ended(local, grant)[0] == "key_rotated"


def test_keys_that_an_administrator_replaces_end_what_was_given(local, told, given):
    """`agents update --jwks`; a change of anything else beside the same keys does not."""
    update = local.desk.agents.update
    update(told["client_id"], AgentChanges(jwks=json.dumps(ONE), description="x"), by=BY)
    assert _ended(local, given) == (None, [])
    update(told["client_id"], AgentChanges(jwks=json.dumps(OTHER)), by=BY)
    assert _ended(local, given) == ("key_rotated", [BY])
