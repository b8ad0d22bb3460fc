"""An agent requests only OpenID scopes, without a resource, to learn who a person is."""

import json

import jwt
import pytest

from approver_tui.client.jose import SigningKey, dpop_proof
from server.protocol.policy.risks import Risk
from server.services.clients.agent_forms import AgentChanges
from server.services.operations.trials import TrialRequest, Trials
from server.services.policy.evaluation import Evaluator
from server.services.policy.policies import Policies
from server.services.users.users import UserChanges
from tests.support.builders import standing_grants
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY
from tests.support.builders.policies import rule
from tests.support.builders.site import ISSUER

USERINFO = f"{ISSUER}/userinfo"
REFUSED = (401, "invalid_token")
ALL_SCOPES = "openid email profile"


def forbid(local, condition='when.scope = ["openid"]'):
    """Set a policy that denies what matches this condition."""
    Policies(local.services.store).set(rule("deny", condition, name="none"), by=BY)


def request(agent, scope="openid", **more):
    """Send a request that names no resource."""
    return agent.request_approval(scope=scope, resource=None, **more)


def approved_token(agent, person, scope="openid", **more):
    """Return the token response to such a request after its approval."""
    handle, approval = request(agent, scope, **more)
    assert person.approve(approval.id).status == 200
    return agent.poll(handle)


def userinfo(local, access_token, scheme="Bearer", proofs=()):
    """Call GET /userinfo with this token."""
    headers = {"authorization": f"{scheme} {access_token}"}
    return local.send("GET", "/userinfo", headers=headers, proofs=proofs)


def claims(access_token):
    """Return the claims of a token without verifying it."""
    return jwt.decode(access_token, options={"verify_signature": False})


def test_the_audience_is_the_userinfo_endpoint(agent, person, local):
    """The token is for userinfo, not for the agent's resource, and grants no other access."""
    answer = approved_token(agent, person)
    payload = claims(answer.json["access_token"])
    assert (payload["aud"], payload["scope"], payload["sub"]) == (
        USERINFO,
        "openid",
        person.user.id,
    )
    assert (payload["client_id"], payload["act"]["sub"]) == (agent.id, agent.id)
    assert payload["exp"] - payload["iat"] == 300
    assert answer.json["scope"] == "openid"
    assert "refresh_token" not in answer.json
    assert claims(answer.json["id_token"])["aud"] == agent.id
    assert userinfo(local, answer.json["access_token"]).json == {"sub": person.user.id}


@pytest.mark.parametrize(
    ("scope", "claims_of_scope"),
    [
        ("openid profile", {"name": "ana", "preferred_username": "ana"}),
        ("openid email", {"email": "ana@example.org", "email_verified": False}),
    ],
)
def test_each_scope_returns_its_claims(agent, person, local, scope, claims_of_scope):
    """OpenID Connect Core 5.4: the response lists each scope once."""
    local.admin.users.update("ana", UserChanges(email="ana@example.org"), by=BY)
    answer = approved_token(agent, person, scope)
    assert sorted(answer.json["scope"].split()) == sorted(scope.split())
    assert userinfo(local, answer.json["access_token"]).json == {
        "sub": person.user.id,
        **claims_of_scope,
    }


def test_the_display_states_what_the_agent_learns(agent):
    """The request is low risk, and the display names each scope and grants nothing else."""
    _, approval = request(agent, ALL_SCOPES)
    assert (approval.risk, approval.resource, approval.ceremony) == (Risk.LOW, USERINFO, "confirm")
    display, signed = json.loads(approval.display), json.loads(approval.action)
    assert display["headline"] == (
        "Read your identity: your user ID, your name and your email address"
    )
    assert [scope["scope"] for scope in display["scopes"]] == ["email", "openid", "profile"]
    assert {scope["risk"] for scope in display["scopes"]} == {"low"}
    assert "gives no other access" in display["gives"]
    assert display["undo"] == "The agent keeps the data that it has read."
    assert (signed["resource"], signed["scope"]) == (USERINFO, ["email", "openid", "profile"])


@pytest.mark.parametrize(
    ("named", "status"), [(None, 200), (USERINFO, 200), (PAY, 400), (f"{ISSUER}/api", 400)]
)
def test_only_userinfo_may_be_named_as_the_resource(agent, named, status):
    """A different resource needs its own scopes, and the Sayso API is never a resource."""
    answer = agent.ask(scope="openid", resource=named)
    assert answer.status == status
    if status == 400:
        assert answer.refusal == (400, "invalid_target")


@pytest.mark.parametrize("scope", ["openid payments:read", "openid profile payments:transfer"])
def test_openid_scopes_for_userinfo_cannot_be_combined_with_others(agent, scope):
    """A request for the scopes of a resource must name that resource."""
    assert agent.ask(scope=scope, resource=USERINFO).refusal == (400, "invalid_target")
    assert agent.ask_payment(scope="openid", resource=USERINFO).refusal == (400, "invalid_target")


def test_a_userinfo_token_cannot_be_exchanged(agent, person, local):
    """Conversely, a token for a resource is refused at userinfo."""
    mine = approved_token(agent, person).json["access_token"]
    handle, approval = agent.request_approval(scope="openid profile payments:read")
    person.approve(approval.id)
    theirs = agent.poll(handle).json["access_token"]
    assert userinfo(local, theirs).refusal == REFUSED
    own_introspection = local.post_form("/introspect", {"token": mine, **agent.credentials})
    assert (own_introspection.json["active"], own_introspection.json["aud"]) == (True, USERINFO)
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": mine,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "scope": "payments:read",
        **agent.credentials,
    }
    assert local.post_form("/token", form).status == 400


def test_the_token_ends_with_its_lifetime_its_agent_and_its_user(agent, person, local):
    """The next use of the token is refused."""
    short = approved_token(agent, person).json["access_token"]
    local.clock.forward(5 * MINUTE)
    assert userinfo(local, short).refusal == REFUSED
    disabled = approved_token(agent, person).json["access_token"]
    local.admin.agents.disable(agent.id, by=BY)
    assert userinfo(local, disabled).refusal == REFUSED
    local.admin.agents.enable(agent.id, by=BY)
    ended_token = approved_token(agent, person).json["access_token"]
    local.admin.users.disable("ana", by=BY)
    assert userinfo(local, ended_token).refusal == REFUSED


def test_the_token_lifetime_limit_of_the_agent_applies(agent, person, local):
    """The request has no resource whose limit could apply."""
    local.admin.agents.update(agent.id, AgentChanges(token_seconds=60), by=BY)
    _, approval = request(agent)
    assert "1 minute" in json.loads(approval.display)["gives"]
    payload = claims(approved_token(agent, person).json["access_token"])
    assert payload["exp"] - payload["iat"] == 60


def test_a_bound_token_needs_a_proof_of_its_key(agent, person, local):
    """RFC 9449 7: a bound token sent as a bearer token is refused."""
    key, at = SigningKey.generate(), local.clock.now() // 1000
    handle, approval = request(agent)
    person.approve(approval.id)
    proof = dpop_proof(key, method="POST", uri=f"{ISSUER}/token", at=at)
    bound = agent.poll(handle, proofs=(proof,)).json["access_token"]
    assert userinfo(local, bound).refusal == REFUSED
    userinfo_proof = dpop_proof(key, method="GET", uri=USERINFO, at=at, access_token=bound)
    assert userinfo(local, bound, "DPoP", (userinfo_proof,)).status == 200


def test_the_person_may_drop_scopes(agent, person, local):
    """The token response says that the request was narrowed."""
    local.admin.users.update("ana", UserChanges(email="ana@example.org"), by=BY)
    handle, approval = request(agent, ALL_SCOPES)
    path = f"/api/approvals/{approval.id}/narrowing"
    narrowing = person.call("POST", path, {"drop_scopes": ["email"]}).json
    jws = person.decision(approval.id, person.low, granted=narrowing["digest"])
    assert person.send_decision(approval.id, jws, granted=narrowing["text"]).status == 200
    answer = agent.poll(handle)
    assert (answer.json["scope"], answer.json["narrowed"]) == ("openid profile", True)
    assert "email" not in userinfo(local, answer.json["access_token"]).json


def test_a_standing_grant_may_decide_an_openid_request(agent, person, local):
    """A standing grant treats it like any other request."""
    _, approval = request(agent, "openid profile")
    standing_grants.give(person, approval, vary=[], sum=None)
    handle, _ = request(agent, "openid profile")
    answer = agent.poll(handle)
    assert answer.status == 200
    assert userinfo(local, answer.json["access_token"]).json["name"] == "ana"


def test_policy_can_deny_an_openid_request_but_cannot_allow_it_without_the_person(agent, local):
    """A rule can match the scope or a resource pattern."""
    Policies(local.services.store).set(
        rule("allow", 'when.risk.at_most = "high"', name="all"), by=BY
    )
    _, approval = request(agent)
    assert approval.state == "pending"
    for condition in ('when.scope = ["openid"]', 'when.resource = ["*/userinfo"]'):
        forbid(local, condition)
        assert agent.ask(scope="openid", resource=None).refusal == (403, "access_denied")


def test_a_policy_that_denies_before_redemption_stops_the_token(agent, person, local):
    """The policy is evaluated again when the token is issued."""
    handle, approval = request(agent)
    person.approve(approval.id)
    forbid(local)
    assert agent.poll(handle).refusal == (400, "access_denied")


def test_explain_predicts_an_openid_request(agent, local):
    """`sayso policy explain` predicts the same token that the request gets."""
    services = local.services
    trials = Trials(services.store, services.server_policy, Evaluator(services.secrets))
    explanation = trials.explain(
        TrialRequest("invoice-bot", "request", "ana", None, ("openid", "profile"))
    )
    assert (explanation.next_step, explanation.seconds, explanation.token["aud"]) == (
        "person",
        300,
        USERINFO,
    )
    assert explanation.token["act"]["sub"] == agent.id
