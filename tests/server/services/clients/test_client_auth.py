"""Client authentication: each agent and app authenticates with the method that it registered."""

import base64
import hashlib
import json

import pytest

from server.protocol.names import GRANT_CLIENT_CREDENTIALS
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.app_forms import AppChanges, NewApp
from server.services.clients.client_auth import ClientAuthentication
from tests.support.builders.app_users import new_app
from tests.support.builders.clock import DAY, HOUR, MINUTE
from tests.support.builders.installation import BY, register_agent
from tests.support.builders.site import ISSUER
from tests.support.inputs.handmade_jwts import assertion_claims, assertion_form, make_jwt, new_key

FAILED = (401, "invalid_client")
TOKEN_REQUEST = {"grant_type": GRANT_CLIENT_CREDENTIALS, "scope": "payments:read"}
KEY = new_key("ES256", "a")


@pytest.fixture
def send(local):
    """Requests a token with these credentials."""

    def post(credentials, authorization=None):
        headers = {} if authorization is None else {"authorization": authorization}
        return local.post_form("/token", {**TOKEN_REQUEST, **credentials}, headers)

    return post


@pytest.fixture
def signer(local):
    """An agent that authenticates with a key."""
    jwks = json.dumps({"keys": [KEY.jwk]})
    return register_agent(local.admin, "signer", auth_method="private_key_jwt", jwks=jwks).agent


def _basic(name, secret):
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def _assertion(local, agent, key=KEY, audience=ISSUER, **changes):
    claims = assertion_claims(agent.id, audience, local.clock.now(), **changes)
    return assertion_form(key.sign(claims))


def test_agents_authenticate_with_their_registered_method(agent, local, send, signer):
    """A client secret by Basic or in the body, and an assertion, are accepted."""
    basic = register_agent(local.admin, "basic")
    assert send({}, _basic(basic.agent.id, basic.secret)).status == 200
    assert send(agent.credentials).status == 200
    assert send(_assertion(local, signer)).status == 200


def test_a_method_that_is_not_registered_is_refused(agent, local, send, signer):
    """Even correct credentials are refused if they use a different method."""
    basic = register_agent(local.admin, "basic")
    for answer in (
        send({}, _basic(agent.id, agent.secret)),
        send({"client_id": basic.agent.id, "client_secret": basic.secret}),
        send({"client_id": signer.id, "client_secret": "secret"}),
        send(_assertion(local, basic.agent)),
    ):
        assert answer.refusal == FAILED


def test_unknown_agents_and_wrong_secrets_get_the_same_response(agent, send):
    """The response does not reveal whether the agent or the secret was wrong."""
    answers = [
        send({"client_id": name, "client_secret": secret}).body
        for name, secret in (
            ("sayso_ag_none", "x"),
            (agent.id, "x"),
            (agent.id, agent.secret + "x"),
            ("invoice-bot", agent.secret),
        )
    ]
    assert len(set(answers)) == 1
    assert json.loads(answers[0])["error"] == "invalid_client"


def test_a_failed_authentication_gets_a_challenge(local, send):
    """Each method gets a challenge with the refusal (RFC 6749 5.2, RFC 9110 15.5.2)."""
    basic = register_agent(local.admin, "basic")
    for answer in (
        send({}, _basic(basic.agent.id, "wrong")),
        send({"client_id": basic.agent.id, "client_secret": "wrong"}),
        send({}),
    ):
        assert answer.refusal == FAILED
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    unknown_app = send({"client_id": "https://unknown.example/app"})
    assert unknown_app.refusal == FAILED
    assert unknown_app.headers["WWW-Authenticate"].startswith("Basic ")


def test_a_request_without_credentials_is_refused(send):
    """An agent cannot be public, so a request without credentials is refused."""
    assert send({}).refusal == FAILED


def test_both_secrets_work_during_the_overlap_of_a_rotation(agent, local, send):
    """The old secret works until the last millisecond of the overlap."""
    rotation = local.admin.agents.rotate_secret("invoice-bot", by=BY, overlap_ms=HOUR)
    new = {**agent.credentials, "client_secret": rotation.secret}
    assert send(new).status == 200
    local.clock.forward(HOUR - 1)
    assert send(agent.credentials).status == 200
    local.clock.forward(1)
    assert send(agent.credentials).refusal == FAILED
    assert send(new).status == 200


def test_the_use_of_a_secret_is_recorded_at_most_once_a_minute(agent, local, send):
    """The last use of a secret shows whether an agent or app still needs it."""

    def last_used():
        with local.services.store.read() as view:
            (row,) = view.agents.all()
        return row.secrets[0].last_used_at

    start = local.clock.now()
    send(agent.credentials)
    assert last_used() == start
    local.clock.forward(MINUTE - 1)
    send(agent.credentials)
    assert last_used() == start
    local.clock.forward(2)
    send(agent.credentials)
    assert last_used() == start + MINUTE + 1


def test_the_use_of_a_key_is_recorded_at_most_once_a_minute(local, send):
    """The last use shows which keys an agent needs; a refused assertion is not recorded."""
    keys = [KEY, new_key("ES256", "b")]
    jwks = json.dumps({"keys": [key.jwk for key in keys]})
    agent = register_agent(local.admin, "signer", auth_method="private_key_jwt", jwks=jwks).agent

    def uses():
        return local.admin.agents.show(agent.id)[0].key_uses

    assert uses() == {}
    start = local.clock.now()
    used_up = _assertion(local, agent, jti="one")
    assert send(used_up).status == 200
    assert uses() == {"a": start}
    local.clock.forward(MINUTE - 1)
    assert send(_assertion(local, agent, jti="two")).status == 200
    assert uses() == {"a": start}
    local.clock.forward(2)
    assert send(_assertion(local, agent, keys[1], jti="one")).refusal == FAILED
    assert uses() == {"a": start}
    assert send(_assertion(local, agent, keys[1], jti="three")).status == 200
    assert send(_assertion(local, agent, jti="four")).status == 200
    assert uses() == {"a": start + MINUTE + 1, "b": start + MINUTE + 1}


def test_key_uses_are_kept_for_the_same_key_only(local, send, signer):
    """The uses of a key survive updates, but a new key with the same kid has none."""
    start = local.clock.now()
    assert send(_assertion(local, signer)).status == 200
    agents = local.admin.agents
    assert agents.update("signer", AgentChanges(description="Signs."), by=BY).key_uses == {
        "a": start
    }
    two_keys = json.dumps({"keys": [KEY.jwk, new_key("ES256", "b").jwk]})
    assert agents.update("signer", AgentChanges(jwks=two_keys), by=BY).key_uses == {"a": start}
    new_jwks = json.dumps({"keys": [new_key("ES256", "a").jwk]})
    agents.update("signer", AgentChanges(jwks=new_jwks), by=BY)
    assert agents.show("signer")[0].key_uses == {}


def test_an_assertion_is_used_once(local, send, signer):
    """RFC 7523 3: a second assertion with the same jti is refused for this agent."""
    form = _assertion(local, signer, jti="one")
    assert send(form).status == 200
    assert send(form).refusal == FAILED
    assert send(_assertion(local, signer, jti="two")).status == 200


def test_two_agents_may_use_the_same_jti(local, send, signer):
    """An agent cannot use up the jti of another."""
    jwks = json.dumps({"keys": [KEY.jwk]})
    other = register_agent(local.admin, "two", auth_method="private_key_jwt", jwks=jwks).agent
    assert send(_assertion(local, signer, jti="one")).status == 200
    assert send(_assertion(local, other, jti="one")).status == 200


def test_an_assertion_by_another_key_or_with_wrong_claims_is_refused(local, send, signer):
    """A refused assertion does not use up its jti."""
    claims = assertion_claims(signer.id, ISSUER, local.clock.now(), jti="one")
    unsigned = make_jwt({"alg": "none"}, claims)
    for form in (
        _assertion(local, signer, new_key("ES256", "a"), jti="one"),
        _assertion(local, signer, audience="https://other.example", jti="one"),
        _assertion(local, signer, exp=1, jti="one"),
        assertion_form(unsigned),
        assertion_form("nonsense"),
    ):
        assert send(form).refusal == FAILED
    assert send(_assertion(local, signer, jti="one")).status == 200


def test_a_client_id_sent_with_an_assertion_must_be_its_subject(local, send, signer):
    """RFC 7521 4.2: a different client_id is refused, the same one is accepted."""
    assert send({**_assertion(local, signer), "client_id": "other"}).refusal == FAILED
    assert send({**_assertion(local, signer), "client_id": signer.id}).status == 200


@pytest.mark.parametrize(
    ("setting", "statuses"), [("issuer", (200, 401, 401)), ("endpoints", (200, 200, 200))]
)
def test_the_assertion_audience_is_the_issuer_unless_configured(open_local, setting, statuses):
    """A setting also accepts the endpoint URLs; other audiences are always refused."""
    local = open_local(assertion_audience=setting)
    jwks = json.dumps({"keys": [KEY.jwk]})
    agent = register_agent(local.admin, "signer", auth_method="private_key_jwt", jwks=jwks).agent
    audiences = (ISSUER, f"{ISSUER}/token", f"{ISSUER}/bc-authorize")
    for audience, status in zip(audiences, statuses, strict=True):
        form = {**TOKEN_REQUEST, **_assertion(local, agent, audience=audience)}
        assert local.post_form("/token", form).status == status
    form = {**TOKEN_REQUEST, **_assertion(local, agent, audience=f"{ISSUER}/other")}
    assert local.post_form("/token", form).status == 401


def test_an_authenticated_agent_is_told_why_it_is_refused(agent, local, send):
    """The error says disabled or expired; a deleted agent is unknown."""
    local.admin.agents.disable("invoice-bot", by=BY)
    answer = send(agent.credentials)
    assert (answer.refusal, answer.json["reason"]) == (
        (400, "unauthorized_client"),
        "agent_disabled",
    )
    local.admin.agents.enable("invoice-bot", by=BY)
    end = local.clock.now() + DAY
    local.admin.agents.update("invoice-bot", AgentChanges(expires_at=end), by=BY)
    local.clock.forward(DAY - 1)
    assert send(agent.credentials).status == 200
    local.clock.forward(1)
    assert send(agent.credentials).json["reason"] == "agent_expired"
    local.admin.agents.delete("invoice-bot", by=BY)
    assert send(agent.credentials).refusal == FAILED


def test_secrets_are_stored_as_hashes(agent, local):
    """The text of a secret is not in the database."""
    stored_agent, _ = local.admin.agents.show("invoice-bot")
    assert stored_agent.secrets[0].hash == hashlib.sha256(agent.secret.encode()).digest()


@pytest.mark.parametrize("subject", ["a\0", "a\x1b", "\u00e9", "a" * 257])
def test_an_assertion_with_an_impossible_subject_is_refused(local, send, signer, subject):
    """The subject is refused before the lookup, because a database may reject it."""
    answer = send(_assertion(local, signer, iss=subject, sub=subject))
    assert answer.refusal == FAILED


@pytest.fixture
def chat(local):
    """An app with a secret."""
    new = NewApp("chat", ("https://chat.example/cb",), auth_method="client_secret_post")
    registration = local.admin.apps.add(new, by=BY)
    return registration.app, {
        "client_id": registration.app.id,
        "client_secret": registration.secret,
    }


def test_an_app_is_unauthorized_at_endpoints_for_agents(chat, local, send):
    """The app has authenticated; with a wrong secret it is an invalid client."""
    _, credentials = chat
    assert send(credentials).refusal == (400, "unauthorized_client")
    answer = local.post_form("/bc-authorize", {**credentials, "scope": "openid"})
    assert answer.refusal == (400, "unauthorized_client")
    assert send({**credentials, "client_secret": "wrong"}).refusal == FAILED


def test_the_use_of_an_apps_secret_is_recorded(chat, local, send):
    """The last use of a secret shows whether an agent or app still needs it."""
    app, credentials = chat
    send(credentials)
    with local.services.store.read() as view:
        (row,) = view.apps.all()
    assert (row.id, row.secrets[0].last_used_at) == (app.id, local.clock.now())


def test_only_a_public_app_may_send_its_client_id_alone(agent, chat, local, send):
    """RFC 6749 3.2.1: clients with a registered secret or key must always use it."""
    new = NewApp("phone", ("com.example.app:/cb",), auth_method="none")
    public = local.admin.apps.add(new, by=BY).app
    assert send({"client_id": public.id}).refusal == (400, "unauthorized_client")
    for name in (agent.id, chat[0].id, "sayso_app_none", "sayso-approver"):
        assert send({"client_id": name}).refusal == FAILED


def test_an_authenticated_app_is_told_why_it_is_refused(chat, local, send):
    """A disabled app gets the reason; a deleted app is unknown."""
    app, credentials = chat
    local.admin.apps.update(app.id, AppChanges(enabled=False), by=BY)
    answer = send(credentials)
    assert (answer.refusal, answer.json["reason"]) == ((400, "unauthorized_client"), "app_disabled")
    local.admin.apps.delete(app.id, by=BY)
    assert send(credentials).refusal == FAILED


@pytest.mark.parametrize(
    "call",
    [lambda app: app.redeem("unknown"), lambda app: app.refresh("unknown")],
    ids=["code", "refresh"],
)
def test_an_app_deleted_during_its_request_gets_no_token(local, monkeypatch, call):
    """The app authenticates before the unit of work and is checked again inside it."""
    app, authenticate = new_app(local), ClientAuthentication.authenticate

    def authenticate_then_delete(self, credentials):
        client = authenticate(self, credentials)
        local.admin.apps.delete(app.id, by=BY)
        return client

    assert call(app).refusal == (400, "invalid_grant")
    monkeypatch.setattr(ClientAuthentication, "authenticate", authenticate_then_delete)
    assert call(app).refusal == FAILED
