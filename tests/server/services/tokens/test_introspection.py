"""Introspection: what each caller is told about a token, and when a token is inactive."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from server.protocol.names import ACR_SIGNED_PIN
from server.protocol.policy.risks import Risk
from server.services.clients.agent_forms import AgentChanges, NewAgent
from server.services.resources.resources import ResourceChanges
from server.services.tokens.introspection import LAST_USE_INTERVAL_MS
from server.services.tokens.issued_tokens import IssuedTokens
from tests.support.builders.app_users import new_app
from tests.support.builders.callers import LocalAgent, new_resource
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY
from tests.support.builders.site import ISSUER
from tests.support.clients.agent import PAYMENT_DETAILS
from tests.support.inputs.dpop_proofs import proof, thumbprint
from tests.support.inputs.handmade_jwts import new_key

MAIL = "https://mail.example"
INACTIVE = {"active": False}


@pytest.fixture
def token(agent):
    """A token of the agent for the payment API, without a user."""
    return agent.alone().json["access_token"]


def _introspect_as(agent, token):
    return agent.local.post_form("/introspect", {"token": token, **agent.credentials}).json


def _other_agent(local, **members):
    defaults = {"name": "other-bot", "owners": ("admin",), "auth_method": "client_secret_post"}
    registration = local.admin.agents.add(NewAgent(**{**defaults, **members}), by=BY)
    return LocalAgent(local, registration.agent.id, registration.secret)


def test_the_audience_gets_claims_names_and_owners(agent, local, person, resource):
    """IN-07, IN-16: every claim of the token, and the names of user, agent and owners."""
    token = agent.paid(person)
    claims = dict(local.claims(token))
    answer = resource.introspect(token).json
    names = {name: answer.pop(name) for name in ("active", "token_type", "username", "agent")}
    assert answer == claims
    assert names == {
        "active": True,
        "token_type": "Bearer",
        "username": "ana",
        "agent": {"name": "invoice-bot", "owners": ["admin"]},
    }
    assert answer["authorization_details"] == PAYMENT_DETAILS
    assert (answer["acr"], answer["act"]["sub"]) == (ACR_SIGNED_PIN, agent.id)


def test_a_token_without_a_user_has_no_username(agent, resource, token):
    """An agent that acts for itself is the subject, so there is no user to name."""
    answer = resource.introspect(token).json
    assert (answer["active"], answer["sub"], answer["client_id"]) == (True, agent.id, agent.id)
    assert not {"username", "act", "cnf"} & set(answer)


def test_a_bound_token_shows_its_key(agent, local, resource):
    """IN-15: the resource needs the key to verify the proof."""
    key = new_key("ES256")
    token = agent.alone(proof(key, f"{ISSUER}/token", local.clock.now())).json["access_token"]
    answer = resource.introspect(token).json
    assert (answer["token_type"], answer["cnf"]) == ("DPoP", {"jkt": thumbprint(key)})


def test_a_token_is_inactive_for_a_different_resource(local, token):
    """IN-09, NG-080: a resource is told nothing about tokens for others."""
    local.admin.resources.add(MAIL, {}, {}, by=BY)
    other_resource = new_resource(local, MAIL)
    assert other_resource.introspect(token).json == INACTIVE
    assert other_resource.introspect("none").json == INACTIVE


def test_an_agent_may_introspect_its_own_tokens_only(agent, local, token):
    """IN-09: another agent's token is inactive to it."""
    assert _introspect_as(agent, token)["active"] is True
    assert _introspect_as(_other_agent(local), token) == INACTIVE


def test_an_agent_that_serves_the_audience_may_introspect(local, token):
    """An agent that serves a resource may see what the resource may see."""
    assert _introspect_as(_other_agent(local, serves=(PAY,)), token)["active"] is True


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "sayso_at_aaaaaaaaaaaaaaaa",
        "sayso_rt_aaaa",
        "sayso_ar_aaaa",
        "a.b.c",
        "eyJhbGciOiJub25lIn0.e30.",
        "é" * 40,
        "x" * 30_000,
    ],
)
def test_other_strings_are_inactive(resource, text):
    """IN-08, IN-21: any other string gets the response for an inactive token, not an error."""
    answer = resource.introspect(text)
    assert (answer.status, answer.json) == (200, INACTIVE)


def test_a_changed_token_is_inactive(resource, token):
    """IN-12, NG-083: a change to any part makes it inactive."""
    head, body, signature = token.split(".")
    for changed in (
        token[:-1],
        token + "A",
        f"{head}.{body}.{signature[::-1]}",
        f"{head}.{body}",
        f" {token}",
    ):
        assert resource.introspect(changed).json == INACTIVE


def test_an_id_token_is_inactive(agent, person, resource):
    """IN-10: an ID token is inactive even though the same key signs it."""
    handle, approval = agent.request_payment()
    person.approve(approval.id)
    assert resource.introspect(agent.poll(handle).json["id_token"]).json == INACTIVE


def test_terminal_tokens_are_inactive_for_others(agent, person, resource):
    """Tokens of terminals are for our own API, so nobody else can inspect them."""
    for token in (person.access_token, person.refresh_token):
        assert resource.introspect(token).json == INACTIVE
        assert _introspect_as(agent, token) == INACTIVE


def test_an_expired_token_is_inactive(local, resource, token):
    """IN-08: a token is active until the last millisecond of its lifetime."""
    local.clock.forward(5 * MINUTE - 1)
    assert resource.introspect(token).json["active"] is True
    local.clock.forward(1)
    assert resource.introspect(token).json == INACTIVE


def test_disabling_the_agent_makes_its_tokens_inactive(agent, local, resource, token):
    """IN-13, NG-081: enabling it does not restore them."""
    local.admin.agents.disable("invoice-bot", by=BY)
    assert resource.introspect(token).json == INACTIVE
    local.admin.agents.enable("invoice-bot", by=BY)
    assert resource.introspect(token).json == INACTIVE
    assert resource.introspect(agent.alone().json["access_token"]).json["active"] is True


def test_an_expired_agents_tokens_are_inactive(agent, local, resource):
    """The tokens are inactive even if the expiry was set after they were issued."""
    token = agent.alone().json["access_token"]
    changes = AgentChanges(expires_at=local.clock.now() + MINUTE)
    local.admin.agents.update("invoice-bot", changes, by=BY)
    local.clock.forward(MINUTE)
    assert resource.introspect(token).json == INACTIVE


def test_disabling_the_user_makes_their_tokens_inactive(agent, local, person, resource):
    """NG-084: a disabled user's tokens are inactive immediately."""
    token = agent.paid(person)
    assert resource.introspect(token).json["active"] is True
    local.admin.users.disable("ana", by=BY)
    assert resource.introspect(token).json == INACTIVE


def test_the_state_of_the_user_is_checked(agent, local, person, resource):
    """A disabled user's token is inactive even if it was not revoked."""
    token = agent.paid(person)
    with local.services.store.administer() as tx:
        tx.users.replace(replace(tx.directory.user(person.user.id), state="disabled"))
    assert resource.introspect(token).json == INACTIVE


def test_the_state_of_the_agent_is_checked(local, resource, token):
    """A disabled agent's token is inactive even if it was not revoked."""
    with local.services.store.administer() as tx:
        agent = tx.directory.find_agent("invoice-bot")
        tx.agents.replace(replace(agent, state="disabled"), tx.now)
    assert resource.introspect(token).json == INACTIVE


@dataclass(frozen=True, slots=True)
class _FixedClaims:
    """A verifier that accepts any token and returns these claims."""

    claims: dict[str, Any]

    def own_token(self, *_: object) -> dict[str, Any]:
        return self.claims


@pytest.mark.parametrize("disabled", ["first-bot", "middle-bot", "last-bot", None])
def test_every_actor_of_a_token_must_be_enabled(local, person, disabled):
    """Each actor in the chain is checked; an unknown actor counts as disabled."""
    bots = {
        name: _other_agent(local, name=name) for name in ("first-bot", "middle-bot", "last-bot")
    }
    first, middle, last = (bots[name].id for name in bots)
    row = local.admin.token(last, person.user.id)
    chain = {"sub": last, "act": {"sub": middle, "act": {"sub": first}}}
    expires_at = row.expires_at // 1000
    claims = {"iss": ISSUER, "jti": row.id, "exp": expires_at, "act": chain}
    with local.services.store.administer() as tx:
        if disabled is not None:
            tx.agents.replace(replace(tx.directory.find_agent(disabled), state="disabled"), tx.now)
    with local.services.store.read() as view:
        live_token = IssuedTokens(_FixedClaims(claims), local.server_policy).live(view, "t")
        unknown = {**claims, "act": {"sub": "sayso_ag_nobody"}}
        assert IssuedTokens(_FixedClaims(unknown), local.server_policy).live(view, "t") is None
    assert (live_token is None) is (disabled is not None)


@pytest.mark.parametrize(
    "changes", [{"iss": "https://other"}, {"iss": [ISSUER]}, {"exp": "later"}, {"jti": None}]
)
def test_a_token_with_wrong_issuer_or_claim_types_is_inactive(local, person, agent, changes):
    """NG-093: a valid signature of this server is not enough."""
    row = local.admin.token(agent.id, person.user.id)
    claims = {"iss": ISSUER, "jti": row.id, "exp": row.expires_at // 1000}
    with local.services.store.read() as view:
        assert IssuedTokens(_FixedClaims(claims), local.server_policy).live(view, "t") is not None
        wrong = {**claims, **changes}
        assert IssuedTokens(_FixedClaims(wrong), local.server_policy).live(view, "t") is None


def test_tokens_of_a_deleted_resource_are_inactive(agent, local, token):
    """The deleted resource cannot ask, but the client sees that its token is inactive."""
    local.admin.resources.delete(PAY, by=BY)
    assert _introspect_as(agent, token) == INACTIVE


def test_a_revoked_token_is_inactive(local, resource, token):
    """NG-082, IN-11: a token is inactive once it is revoked."""
    with local.services.store.write() as tx:
        tx.delegations.revoke_tree(local.claims(token)["jti"], tx.now)
    assert resource.introspect(token).json == INACTIVE


def test_a_retiring_key_still_verifies_tokens(agent, local, resource):
    """A rotation does not invalidate tokens that the old key signed."""
    token = agent.alone().json["access_token"]
    local.admin.keys.rotate("ES256", by=BY)
    assert resource.introspect(token).json["active"] is True


def test_the_use_of_a_token_is_recorded_once_a_minute(agent, local, resource, token):
    """An introspection by the resource counts as a use; one by the client does not."""

    def last_used():
        with local.services.store.read() as view:
            return view.delegations.get(local.claims(token)["jti"]).last_used_at

    _introspect_as(agent, token)
    assert last_used() is None
    start = local.clock.now()
    for _ in range(3):
        resource.introspect(token)
        assert last_used() == start
        local.clock.forward(LAST_USE_INTERVAL_MS // 3)
    local.clock.forward(1)
    resource.introspect(token)
    assert last_used() == start + LAST_USE_INTERVAL_MS + 1


def test_a_signed_response_has_the_same_content(local, resource, token):
    """IN-19, RFC 9701: the response is signed for the caller, for inactive tokens too."""
    media_type = "application/token-introspection+jwt"
    for text, expected in ((token, True), ("x", False)):
        answer = resource.introspect(text, accept=media_type)
        assert answer.headers["Content-Type"] == media_type
        assert answer.headers["Cache-Control"] == "no-store"
        claims = local.claims(answer.body.decode(), "token-introspection+jwt")
        assert (claims["iss"], claims["aud"]) == (ISSUER, resource.id)
        assert claims["token_introspection"] == resource.introspect(text).json
        assert claims["token_introspection"]["active"] is expected


def test_a_raised_risk_does_not_end_issued_tokens(local, resource, token):
    """Policy applies when a token is issued, not later."""
    local.admin.resources.update(
        PAY, ResourceChanges(scopes={"payments:read": Risk.CRITICAL}), by=BY
    )
    assert resource.introspect(token).json["active"] is True


def test_a_public_app_cannot_introspect(local, token):
    """IN-02: a client_id alone does not authenticate."""
    app = new_app(local, "phone", auth_method="none")
    form = {"token": token, "client_id": app.id}
    assert local.post_form("/introspect", form).refusal == (401, "invalid_client")
