"""An agent asks who a person is, and for nothing else: OpenID scopes alone (product decision 3)."""

import json

import jwt
import pytest

from approver_tui.client.jose import SigningKey, dpop_proof
from server.protocol.policy.risks import Risk
from server.services.clients.agent_forms import AgentChanges
from server.services.operations.trials import TrialRequest, Trials
from server.services.policy.judging import Judge
from server.services.policy.policies import Policies
from server.services.users.users import UserChanges
from tests.support.builders import standing_grants
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY
from tests.support.builders.policies import rule
from tests.support.builders.site import ISSUER

USERINFO = f"{ISSUER}/userinfo"
REFUSED = (401, "invalid_token")
ALL = "openid email profile"


def forbid(local, what='when.scope = ["openid"]'):
    """A rule set that forbids it, by its scopes."""
    Policies(local.services.store).set(rule("deny", what, name="none"), by=BY)


def asked(agent, scope="openid", **more):
    """A request that names no resource."""
    return agent.asked(scope=scope, resource=None, **more)


def token(agent, person, scope="openid", **more):
    """What comes of a yes to it."""
    handle, approval = asked(agent, scope, **more)
    assert person.approve(approval.id).status == 200
    return agent.poll(handle)


def read(local, access_token, scheme="Bearer", proofs=()):
    """GET /userinfo."""
    headers = {"authorization": f"{scheme} {access_token}"}
    return local.send("GET", "/userinfo", headers=headers, proofs=proofs)


def claims(access_token):
    """What a token says."""
    return jwt.decode(access_token, options={"verify_signature": False})


def test_the_audience_is_the_endpoint_that_tells_it_and_nothing_else(agent, person, local):
    """Checked before the agent's only resource is; no rights anywhere come of it."""
    answer = token(agent, person)
    said = claims(answer.json["access_token"])
    assert (said["aud"], said["scope"], said["sub"]) == (USERINFO, "openid", person.user.id)
    assert (said["client_id"], said["act"]["sub"]) == (agent.id, agent.id)
    assert said["exp"] - said["iat"] == 300
    assert answer.json["scope"] == "openid"
    assert "refresh_token" not in answer.json
    assert claims(answer.json["id_token"])["aud"] == agent.id
    assert read(local, answer.json["access_token"]).json == {"sub": person.user.id}


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ("openid profile", {"name": "ana", "preferred_username": "ana"}),
        ("openid email", {"email": "ana@example.org", "email_verified": False}),
    ],
)
def test_each_scope_tells_what_it_stands_for(agent, person, local, scope, told):
    """OpenID Connect Core 5.4; the answer names the scopes once each."""
    local.desk.users.update("ana", UserChanges(email="ana@example.org"), by=BY)
    answer = token(agent, person, scope)
    assert sorted(answer.json["scope"].split()) == sorted(scope.split())
    assert read(local, answer.json["access_token"]).json == {"sub": person.user.id, **told}


def test_the_person_reads_in_plain_words_what_is_told(agent):
    """Low risk, each scope by its name, and that it opens nothing else."""
    _, approval = asked(agent, ALL)
    assert (approval.risk, approval.resource, approval.ceremony) == (Risk.LOW, USERINFO, "confirm")
    shown, signed = json.loads(approval.display), json.loads(approval.action)
    assert shown["headline"] == ("Know who you are: your user id, your name and your email address")
    assert [one["scope"] for one in shown["scopes"]] == ["email", "openid", "profile"]
    assert {one["risk"] for one in shown["scopes"]} == {"low"}
    assert "gives no other access" in shown["gives"]
    assert shown["undo"] == "It keeps what it has read."
    assert (signed["resource"], signed["scope"]) == (USERINFO, ["email", "openid", "profile"])


@pytest.mark.parametrize(
    ("named", "status"), [(None, 200), (USERINFO, 200), (PAY, 400), (f"{ISSUER}/api", 400)]
)
def test_only_that_endpoint_may_be_named(agent, named, status):
    """Of a resource of others something must be asked for; our own API is never an agent's."""
    answer = agent.ask(scope="openid", resource=named)
    assert answer.status == status
    if status == 400:
        assert answer.refusal == (400, "invalid_target")


@pytest.mark.parametrize("scope", ["openid payments:read", "openid profile payments:transfer"])
def test_it_goes_with_nothing_else(agent, scope):
    """One audience each: whoever asks for a resource's scopes too names that resource."""
    assert agent.ask(scope=scope, resource=USERINFO).refusal == (400, "invalid_target")
    assert agent.ask_payment(scope="openid", resource=USERINFO).refusal == (400, "invalid_target")


def test_such_a_token_is_for_there_alone(agent, person, local):
    """Neither exchanged nor read by a resource; and a resource's token tells nobody's name."""
    mine = token(agent, person).json["access_token"]
    handle, approval = agent.asked(scope="openid profile payments:read")
    person.approve(approval.id)
    theirs = agent.poll(handle).json["access_token"]
    assert read(local, theirs).refusal == REFUSED
    own = local.post_form("/introspect", {"token": mine, **agent.credentials})
    assert (own.json["active"], own.json["aud"]) == (True, USERINFO)
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": mine,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "scope": "payments:read",
        **agent.credentials,
    }
    assert local.post_form("/token", form).status == 400


def test_it_ends_with_its_time_its_agent_and_its_person(agent, person, local):
    """As every approved token does, at its next use."""
    short = token(agent, person).json["access_token"]
    local.clock.forward(5 * MINUTE)
    assert read(local, short).refusal == REFUSED
    stopped = token(agent, person).json["access_token"]
    local.desk.agents.disable(agent.id, by=BY)
    assert read(local, stopped).refusal == REFUSED
    local.desk.agents.enable(agent.id, by=BY)
    gone = token(agent, person).json["access_token"]
    local.desk.users.disable("ana", by=BY)
    assert read(local, gone).refusal == REFUSED


def test_the_limit_of_the_agent_is_a_limit_here(agent, person, local):
    """`--token-seconds` of the agent; there is no resource that could have one."""
    local.desk.agents.update(agent.id, AgentChanges(token_seconds=60), by=BY)
    _, approval = asked(agent)
    assert "1 minute" in json.loads(approval.display)["gives"]
    said = claims(token(agent, person).json["access_token"])
    assert said["exp"] - said["iat"] == 60


def test_a_bound_one_comes_with_its_key(agent, person, local):
    """RFC 9449 7."""
    key, at = SigningKey.generate(), local.clock.now() // 1000
    handle, approval = asked(agent)
    person.approve(approval.id)
    proof = dpop_proof(key, method="POST", uri=f"{ISSUER}/token", at=at)
    bound = agent.poll(handle, proofs=(proof,)).json["access_token"]
    assert read(local, bound).refusal == REFUSED
    mine = dpop_proof(key, method="GET", uri=USERINFO, at=at, access_token=bound)
    assert read(local, bound, "DPoP", (mine,)).status == 200


def test_less_of_it_may_be_told(agent, person, local):
    """The email address is kept back, and the answer says so."""
    local.desk.users.update("ana", UserChanges(email="ana@example.org"), by=BY)
    handle, approval = asked(agent, ALL)
    path = f"/api/approvals/{approval.id}/narrowing"
    less = person.call("POST", path, {"drop_scopes": ["email"]}).json
    jws = person.decision(approval.id, person.low, granted=less["digest"])
    assert person.send_decision(approval.id, jws, granted=less["text"]).status == 200
    answer = agent.poll(handle)
    assert (answer.json["scope"], answer.json["narrowed"]) == ("openid profile", True)
    assert "email" not in read(local, answer.json["access_token"]).json


def test_it_may_be_told_ahead(agent, person, local):
    """A standing grant stands for the answer here as elsewhere."""
    _, approval = asked(agent, "openid profile")
    standing_grants.give(person, approval, vary=[], sum=None)
    handle, _ = asked(agent, "openid profile")
    answer = agent.poll(handle)
    assert answer.status == 200
    assert read(local, answer.json["access_token"]).json["name"] == "ana"


def test_policy_may_forbid_it_or_want_more(agent, local):
    """By scope or, with a pattern, by place; and no rule that allows spares the person."""
    Policies(local.services.store).set(
        rule("allow", 'when.risk.at_most = "high"', name="all"), by=BY
    )
    _, approval = asked(agent)
    assert approval.state == "pending"
    for what in ('when.scope = ["openid"]', 'when.resource = ["*/userinfo"]'):
        forbid(local, what)
        assert agent.ask(scope="openid", resource=None).refusal == (403, "access_denied")


def test_a_policy_that_became_stricter_wins_before_the_token(agent, person, local):
    """Judged again when the token is made."""
    handle, approval = asked(agent)
    person.approve(approval.id)
    forbid(local)
    assert agent.poll(handle).refusal == (400, "access_denied")


def test_a_trial_says_what_the_door_does(agent, local):
    """`sayso policy explain` of the same request."""
    services = local.services
    trials = Trials(services.store, services.rules, Judge(services.secrets))
    found = trials.explain(
        TrialRequest("invoice-bot", "request", "ana", None, ("openid", "profile"))
    )
    assert (found.then, found.seconds, found.token["aud"]) == ("person", 300, USERINFO)
    assert found.token["act"]["sub"] == agent.id
