"""Token revocation by clients."""

from server.services.clients.agent_forms import NewAgent
from tests.support.builders.callers import LocalAgent
from tests.support.builders.installation import BY


def _revoke(agent, token, **more):
    return agent.local.post_form("/revoke", {"token": token, **agent.credentials, **more})


def _row(local, token):
    with local.services.store.read() as view:
        return view.delegations.get(local.claims(token)["jti"])


def test_revoking_a_token_revokes_its_descendants(agent, local, person, resource):
    """RV-04, RV-13, RV-14: both end immediately, with one audit entry that has their number."""
    token = agent.paid(person)
    parent = _row(local, token)
    child = local.admin.token(agent.id, person.user.id, parent_id=parent.id)
    answer = _revoke(agent, token)
    assert (answer.status, answer.json) == (200, {})
    assert resource.introspect(token).json == {"active": False}
    assert local.admin.revoked(child)
    (entry,) = local.admin.entries("token.revoked")
    assert (entry["actor"], entry["agent_id"], entry["subject"]) == (
        f"agent:{agent.id}",
        agent.id,
        person.user.id,
    )
    assert entry["facts"] == {"client": agent.id, "jti": parent.id, "tokens_revoked": 2}


def test_revoking_again_changes_nothing(agent, local):
    """RV-05: each call returns 200, but only the first one writes an entry."""
    token = agent.alone().json["access_token"]
    assert [_revoke(agent, token).status for _ in range(3)] == [200] * 3
    assert len(local.admin.entries("token.revoked")) == 1


def test_a_token_of_another_client_is_not_revoked(agent, local, resource):
    """RV-07, DE-08: the response is the same as for an unknown token."""
    token = agent.alone().json["access_token"]
    registration = local.admin.agents.add(
        NewAgent("other-bot", ("admin",), auth_method="client_secret_post"), by=BY
    )
    thief = LocalAgent(local, registration.agent.id, registration.secret)
    answers = [_revoke(thief, text) for text in (token, "x", "a.b.c")]
    assert [(answer.status, answer.body) for answer in answers] == [(200, b"{}")] * 3
    assert resource.introspect(token).json["active"] is True
    assert local.admin.entries("token.revoked") == []


def test_revoking_an_expired_token_changes_nothing(agent, local):
    """The response is 200, and no audit entry is written."""
    token = agent.alone().json["access_token"]
    local.clock.forward(10**7)
    assert _revoke(agent, token).status == 200
    assert local.admin.entries("token.revoked") == []


def test_a_resource_cannot_revoke_tokens(local, resource, agent):
    """A resource may introspect a token but not revoke it."""
    token = agent.alone().json["access_token"]
    headers = {"authorization": resource.basic}
    answer = local.post_form("/revoke", {"token": token}, headers)
    assert answer.refusal == (400, "unauthorized_client")
    assert resource.introspect(token).json["active"] is True


def test_an_agent_cannot_revoke_a_terminals_tokens(agent, person):
    """The response is 200, but the terminal's tokens stay valid."""
    for token in (person.access_token, person.refresh_token):
        assert _revoke(agent, token).status == 200
    assert person.call("GET", "/api/me").status == 200
