"""Who learns what of a token, and when it counts no more."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from server.protocol.names import ACR_SIGNED_PIN
from server.protocol.policy.risks import Risk
from server.services.clients.agent_forms import AgentChanges, NewAgent
from server.services.resources.resources import ResourceChanges
from server.services.tokens.introspection import USE_NOTED_MS
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
    """A token of the agent's for the payment API, without a person."""
    return agent.alone().json["access_token"]


def _ask_as(agent, token):
    return agent.local.post_form("/introspect", {"token": token, **agent.credentials}).json


def _another(local, **members):
    asked = {"name": "other-bot", "owners": ("admin",), "auth_method": "client_secret_post"}
    given = local.desk.agents.add(NewAgent(**{**asked, **members}), by=BY)
    return LocalAgent(local, given.agent.id, given.secret)


def test_the_audience_learns_who_acts_for_whom_under_which_approval(agent, local, person, resource):
    """IN-07, IN-16: every claim of the token, its user's and its agent's name, the owners."""
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


def test_a_token_without_a_person_has_no_user(agent, resource, token):
    """The agent acts for itself."""
    answer = resource.introspect(token).json
    assert (answer["active"], answer["sub"], answer["client_id"]) == (True, agent.id, agent.id)
    assert not {"username", "act", "cnf"} & set(answer)


def test_a_bound_token_shows_its_key(agent, local, resource):
    """IN-15: so that the resource can hold the proof against it."""
    key = new_key("ES256")
    token = agent.alone(proof(key, f"{ISSUER}/token", local.clock.now())).json["access_token"]
    answer = resource.introspect(token).json
    assert (answer["token_type"], answer["cnf"]) == ("DPoP", {"jkt": thumbprint(key)})


def test_another_resource_learns_nothing(local, token):
    """IN-09, NG-080: as if there were no such token."""
    local.desk.resources.add(MAIL, {}, {}, by=BY)
    stranger = new_resource(local, MAIL)
    assert stranger.introspect(token).json == INACTIVE
    assert stranger.introspect("none").json == INACTIVE


def test_an_agent_learns_of_its_own_tokens_and_of_nobody_elses(agent, local, token):
    """IN-09: whoever was given a token may know whether it still counts."""
    assert _ask_as(agent, token)["active"] is True
    assert _ask_as(_another(local), token) == INACTIVE


def test_an_agent_that_serves_the_audience_learns_of_its_tokens(local, token):
    """It is the resource, as an agent."""
    assert _ask_as(_another(local, serves=(PAY,)), token)["active"] is True


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
def test_what_is_no_token_of_ours_is_inactive(resource, text):
    """IN-08, IN-21: in one way, and without a fault."""
    answer = resource.introspect(text)
    assert (answer.status, answer.json) == (200, INACTIVE)


def test_a_changed_token_is_inactive(resource, token):
    """IN-12, NG-083: shorter, longer, another signature."""
    head, body, signature = token.split(".")
    for changed in (
        token[:-1],
        token + "A",
        f"{head}.{body}.{signature[::-1]}",
        f"{head}.{body}",
        f" {token}",
    ):
        assert resource.introspect(changed).json == INACTIVE


def test_an_id_token_is_no_access_token(agent, person, resource):
    """IN-10: signed by the same key, and something else."""
    handle, approval = agent.asked_payment()
    person.approve(approval.id)
    assert resource.introspect(agent.poll(handle).json["id_token"]).json == INACTIVE


def test_a_terminals_token_is_nobodys_business(agent, person, resource):
    """It is for our own API alone."""
    for token in (person.access_token, person.refresh_token):
        assert resource.introspect(token).json == INACTIVE
        assert _ask_as(agent, token) == INACTIVE


def test_a_token_runs_out(local, resource, token):
    """IN-08."""
    local.clock.forward(5 * MINUTE - 1)
    assert resource.introspect(token).json["active"] is True
    local.clock.forward(1)
    assert resource.introspect(token).json == INACTIVE


def test_the_end_of_an_agent_is_seen_at_once(agent, local, resource, token):
    """IN-13, NG-081: and enabling it again does not bring the token back."""
    local.desk.agents.disable("invoice-bot", by=BY)
    assert resource.introspect(token).json == INACTIVE
    local.desk.agents.enable("invoice-bot", by=BY)
    assert resource.introspect(token).json == INACTIVE
    assert resource.introspect(agent.alone().json["access_token"]).json["active"] is True


def test_an_agent_that_expires_takes_its_tokens_with_it(agent, local, resource):
    """Also one that was given its end after the token was made."""
    token = agent.alone().json["access_token"]
    changes = AgentChanges(expires_at=local.clock.now() + MINUTE)
    local.desk.agents.update("invoice-bot", changes, by=BY)
    local.clock.forward(MINUTE)
    assert resource.introspect(token).json == INACTIVE


def test_the_end_of_a_person_is_seen_at_once(agent, local, person, resource):
    """NG-084."""
    token = agent.paid(person)
    assert resource.introspect(token).json["active"] is True
    local.desk.users.disable("ana", by=BY)
    assert resource.introspect(token).json == INACTIVE


def test_a_user_who_is_disabled_makes_a_token_inactive_by_itself(agent, local, person, resource):
    """Even where nobody revoked what was out."""
    token = agent.paid(person)
    with local.services.store.administer() as tx:
        tx.users.replace(replace(tx.directory.user(person.user.id), state="disabled"))
    assert resource.introspect(token).json == INACTIVE


def test_an_agent_that_is_disabled_makes_a_token_inactive_by_itself(local, resource, token):
    """Likewise."""
    with local.services.store.administer() as tx:
        agent = tx.directory.agent_called("invoice-bot")
        tx.agents.replace(replace(agent, state="disabled"), tx.now)
    assert resource.introspect(token).json == INACTIVE


@dataclass(frozen=True, slots=True)
class _Says:
    """A verifier that takes anything for a token with these claims."""

    claims: dict[str, Any]

    def own_token(self, *_: object) -> dict[str, Any]:
        return self.claims


@pytest.mark.parametrize("stopped", ["first-bot", "middle-bot", "last-bot", None])
def test_whoever_acted_on_the_way_must_be_enabled_now(local, person, stopped):
    """Not only the one at the end of the chain; one who is unknown is not enabled either."""
    bots = {name: _another(local, name=name) for name in ("first-bot", "middle-bot", "last-bot")}
    first, middle, last = (bots[name].id for name in bots)
    row = local.desk.token(last, person.user.id)
    chain = {"sub": last, "act": {"sub": middle, "act": {"sub": first}}}
    until = row.expires_at // 1000
    claims = {"iss": ISSUER, "jti": row.id, "exp": until, "act": chain}
    with local.services.store.administer() as tx:
        if stopped is not None:
            tx.agents.replace(replace(tx.directory.agent_called(stopped), state="disabled"), tx.now)
    with local.services.store.read() as view:
        found = IssuedTokens(_Says(claims), local.services.rules).live(view, "t")
        unknown = {**claims, "act": {"sub": "sayso_ag_nobody"}}
        assert IssuedTokens(_Says(unknown), local.services.rules).live(view, "t") is None
    assert (found is None) is (stopped is not None)


@pytest.mark.parametrize(
    "changes", [{"iss": "https://other"}, {"iss": [ISSUER]}, {"exp": "later"}, {"jti": None}]
)
def test_claims_of_another_type_or_issuer_make_no_token(local, person, agent, changes):
    """NG-093: whatever somebody once signed with our key."""
    row = local.desk.token(agent.id, person.user.id)
    claims = {"iss": ISSUER, "jti": row.id, "exp": row.expires_at // 1000}
    with local.services.store.read() as view:
        assert IssuedTokens(_Says(claims), local.services.rules).live(view, "t") is not None
        wrong = {**claims, **changes}
        assert IssuedTokens(_Says(wrong), local.services.rules).live(view, "t") is None


def test_a_deleted_resource_has_no_tokens(agent, local, token):
    """Nor has it credentials; a client that was given the token sees that it ended."""
    local.desk.resources.delete(PAY, by=BY)
    assert _ask_as(agent, token) == INACTIVE


def test_a_revoked_token_is_inactive(local, resource, token):
    """NG-082: IN-11."""
    with local.services.store.write() as tx:
        tx.delegations.revoke_tree(local.claims(token)["jti"], tx.now)
    assert resource.introspect(token).json == INACTIVE


def test_a_retiring_key_still_verifies_and_its_end_ends_its_tokens(agent, local, resource):
    """A rotation takes nobody's token away."""
    token = agent.alone().json["access_token"]
    local.desk.keys.rotate("ES256", by=BY)
    assert resource.introspect(token).json["active"] is True


def test_the_use_of_a_token_is_noted_once_a_minute(agent, local, resource, token):
    """By its resource; a client that looks after its own does not use it."""

    def used():
        with local.services.store.read() as view:
            return view.delegations.get(local.claims(token)["jti"]).last_used_at

    _ask_as(agent, token)
    assert used() is None
    began = local.clock.now()
    for _ in range(3):
        resource.introspect(token)
        assert used() == began
        local.clock.forward(USE_NOTED_MS // 3)
    local.clock.forward(1)
    resource.introspect(token)
    assert used() == began + USE_NOTED_MS + 1


def test_a_signed_answer_says_the_same_to_its_caller_alone(local, resource, token):
    """IN-19, RFC 9701: also when it says nothing."""
    wanted = "application/token-introspection+jwt"
    for text, expected in ((token, True), ("x", False)):
        answer = resource.introspect(text, accept=wanted)
        assert answer.headers["Content-Type"] == wanted
        assert answer.headers["Cache-Control"] == "no-store"
        claims = local.claims(answer.body.decode(), "token-introspection+jwt")
        assert (claims["iss"], claims["aud"]) == (ISSUER, resource.id)
        assert claims["token_introspection"] == resource.introspect(text).json
        assert claims["token_introspection"]["active"] is expected


def test_a_risk_that_rose_does_not_change_what_was_issued(local, resource, token):
    """Policy speaks when a token is minted; the resource decides what it takes."""
    local.desk.resources.update(
        PAY, ResourceChanges(scopes={"payments:read": Risk.CRITICAL}), by=BY
    )
    assert resource.introspect(token).json["active"] is True


def test_a_public_app_proves_nothing_and_learns_nothing(local, token):
    """IN-02: anybody can say its name."""
    app = new_app(local, "phone", auth_method="none")
    form = {"token": token, "client_id": app.id}
    assert local.post_form("/introspect", form).refusal == (401, "invalid_client")
