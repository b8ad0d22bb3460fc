"""Which user a hint names; a user who may not be asked looks unknown."""

import pytest

from server.protocol.names import GRANT_CLIENT_CREDENTIALS
from server.services.clients.agent_forms import AgentChanges
from server.services.users.users import UserChanges
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY, register_agent


@pytest.fixture
def id_token(agent, person):
    """An ID token of Ana for this agent."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    return agent.poll(handle).json["id_token"]


def _sign_id_token(local, **claims):
    """Return an ID token with these claims, signed by this server."""
    with local.services.store.read() as view:
        keys = view.directory.signing_keys()
    issuer = local.server_policy.issuer
    payload = {"iss": issuer, "sub": "somebody", "aud": "somebody", **claims}
    return local.services.signer.sign(keys, "RS256", "JWT", payload)


def test_login_hint_accepts_a_name_an_email_and_an_id(agent, person, local):
    """All three name the same person, and letter case does not matter."""
    local.admin.users.update("ana", UserChanges(email="ana@example.com"), by=BY)
    for hint in ("ana", "ANA", "Ana@Example.com", person.user.id):
        _, approval = agent.request_approval(login_hint=hint)
        assert approval.user_id == person.user.id


def test_an_expired_id_token_is_still_a_valid_hint(agent, person, local, id_token):
    """CIBA 7.1: an id_token_hint may have expired."""
    local.clock.forward(DAY)
    _, approval = agent.request_approval(login_hint=None, id_token_hint=id_token)
    assert approval.user_id == person.user.id


def test_an_id_token_signed_by_a_retired_key_is_refused_as_a_hint(agent, local, id_token):
    """A leaked old key cannot name a user, and /jwks no longer contains it."""
    local.admin.keys.rotate("ES256", by=BY)
    local.admin.keys.rotate("RS256", by=BY)
    assert agent.ask(login_hint=None, id_token_hint=id_token).status == 200
    assert len(local.send("GET", "/jwks").json["keys"]) == 5
    local.clock.forward(DAY)
    refused = agent.ask(login_hint=None, id_token_hint=id_token)
    assert refused.refusal == (400, "invalid_request")
    assert len(local.send("GET", "/jwks").json["keys"]) == 3


def test_an_invalid_id_token_hint_is_an_invalid_request(agent, person, id_token):
    """An access token and a changed ID token are refused as well."""
    head, _, tail = id_token.partition(".")
    for hint in ("nonsense", person.access_token, f"{head}.{tail[4:]}", f"{id_token[:-4]}AAAA"):
        refused = agent.ask(login_hint=None, id_token_hint=hint)
        assert refused.refusal == (400, "invalid_request")


@pytest.mark.parametrize("audience", ["another", ["another"], ["another", 1], None, {}])
def test_an_id_token_of_another_client_is_refused_as_a_hint(agent, local, audience):
    """The ID token is also refused if its audience is missing or malformed."""
    hint = _sign_id_token(local, aud=audience)
    refused = agent.ask(login_hint=None, id_token_hint=hint)
    assert refused.refusal == (400, "invalid_request")
    assert "a different client" in refused.json["error_description"]


def test_an_id_token_for_several_audiences_is_a_hint_for_each(agent, person, local):
    """OpenID Connect Core 2: `aud` may be a list."""
    hint = _sign_id_token(local, aud=["another", agent.id], sub=person.user.id)
    assert agent.ask(login_hint=None, id_token_hint=hint).status == 200


@pytest.mark.parametrize("claims", [{"iss": "https://other.example"}, {"sub": None}, {"sub": 7}])
def test_an_id_token_of_another_issuer_or_without_a_subject_is_refused_as_a_hint(
    agent, local, claims
):
    """An installation that was renamed still signs with the same keys."""
    hint = _sign_id_token(local, aud=agent.id, **claims)
    refused = agent.ask(login_hint=None, id_token_hint=hint)
    assert refused.refusal == (400, "invalid_request")
    assert "from a different issuer" in refused.json["error_description"]


def test_disabled_and_unaskable_users_get_the_same_response_as_unknown_users(agent, local):
    """The response bodies are equal, so they reveal nothing."""
    new_person(local, "ben")
    new_person(local, "cleo")
    local.admin.agents.update("invoice-bot", AgentChanges(asks=("ana", "cleo")), by=BY)
    local.admin.users.disable("cleo", by=BY)
    unknown, unaskable, disabled = (
        agent.ask(login_hint=name) for name in ("nobody", "ben", "cleo")
    )
    assert unknown.refusal == (400, "unknown_user_id")
    assert unknown.body == unaskable.body == disabled.body
    assert agent.ask(login_hint="ana").status == 200


def test_the_subject_of_an_id_token_hint_must_be_askable_too(agent, local, id_token):
    """A hint names a user and gives no permission to ask them."""
    new_person(local, "ben")
    local.admin.agents.update("invoice-bot", AgentChanges(asks=("ben",)), by=BY)
    refused = agent.ask(login_hint=None, id_token_hint=id_token)
    assert refused.refusal == (400, "unknown_user_id")


def test_each_agent_has_its_own_list_of_askable_users(agent, local):
    """The list of one agent does not limit a different agent."""
    other = register_agent(
        local.admin,
        "other",
        auth_method="client_secret_post",
        asks=("admin",),
        grant_types=("urn:openid:params:grant-type:ciba", GRANT_CLIENT_CREDENTIALS),
    )
    credentials = {"client_id": other.agent.id, "client_secret": other.secret}
    assert agent.ask(**credentials).refusal == (400, "unknown_user_id")
    assert agent.ask().status == 200
