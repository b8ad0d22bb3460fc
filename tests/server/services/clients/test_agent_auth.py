"""Another way for an agent to prove itself: what it takes, what counts meanwhile, what ends."""

import json

import pytest

from server.protocol.names import GRANT_CLIENT_CREDENTIALS
from server.services.clients.agent_auth import AgentAuth, AuthChange
from server.services.clients.agent_forms import AgentChanges
from server.services.refusals import Conflict, Invalid
from tests.support.builders.clock import HOUR
from tests.support.builders.installation import BY, registered
from tests.support.builders.site import ISSUER
from tests.support.inputs.handmade_jwts import assertion_claims, assertion_form, new_key

FAILED = (401, "invalid_client")
KEY = new_key("ES256", "a")
JWKS = json.dumps({"keys": [KEY.jwk]})
BY_KEY = "private_key_jwt"


@pytest.fixture
def auth(local):
    """The service."""
    return AgentAuth(local.desk.store, local.desk.secrets)


def _token(local, credentials):
    form = {"grant_type": GRANT_CLIENT_CREDENTIALS, "scope": "payments:read", **credentials}
    return local.post_form("/token", form)


def _by_key(local, agent_id):
    claims = assertion_claims(agent_id, ISSUER, local.clock.now())
    return _token(local, assertion_form(KEY.sign(claims)))


def _by_secret(local, agent_id, secret):
    return _token(local, {"client_id": agent_id, "client_secret": secret})


def test_from_a_secret_to_keys_both_count_for_the_overlap(local, agent, auth):
    """Nothing breaks while the agent learns the new way; then the old secret is worth nothing."""
    given = auth.change("invoice-bot", AuthChange(BY_KEY, JWKS, HOUR), by=BY)
    assert (given.secret, given.agent.auth_method) == ("", BY_KEY)
    local.clock.forward(HOUR - 1)
    assert _by_key(local, agent.id).status == 200
    assert _token(local, agent.credentials).status == 200
    local.clock.forward(1)
    assert _token(local, agent.credentials).refusal == FAILED
    assert _by_key(local, agent.id).status == 200


def test_without_an_overlap_the_old_way_is_over_at_once(local, agent, auth):
    """Its secrets are forgotten with it."""
    given = auth.change("invoice-bot", AuthChange(BY_KEY, JWKS, 0), by=BY)
    assert (given.agent.secrets, given.agent.auth_before_until) == ((), None)
    assert _token(local, agent.credentials).refusal == FAILED


def test_from_keys_to_a_secret_one_is_made_and_told_once(local, auth):
    """The keys count until the overlap is over, and stay for signed requests."""
    signer = registered(local.desk, "signer", auth_method=BY_KEY, jwks=JWKS).agent
    given = auth.change("signer", AuthChange("client_secret_post", "", HOUR), by=BY)
    assert _by_secret(local, signer.id, given.secret).status == 200
    assert _by_key(local, signer.id).status == 200
    local.clock.forward(HOUR)
    assert _by_key(local, signer.id).refusal == FAILED
    assert _by_secret(local, signer.id, given.secret).status == 200
    assert len(given.agent.jwks) == 1


def test_between_two_ways_of_the_same_secret_it_goes_on(local, agent, auth):
    """Nothing is made, nothing ends, and answers given ahead stay."""
    before = local.desk.agents.show("invoice-bot")[0]
    given = auth.change("invoice-bot", AuthChange("client_secret_basic"), by=BY)
    assert (given.secret, given.agent.secrets) == ("", before.secrets)
    assert _token(local, agent.credentials).status == 200


def test_back_within_the_overlap_a_secret_that_lasts_is_made(local, agent, auth):
    """The old one goes on ending, and both work until then."""
    auth.change("invoice-bot", AuthChange(BY_KEY, JWKS, HOUR), by=BY)
    given = auth.change("invoice-bot", AuthChange("client_secret_post"), by=BY)
    assert given.secret
    assert _token(local, agent.credentials).status == 200
    local.clock.forward(HOUR)
    assert _token(local, agent.credentials).refusal == FAILED
    assert _by_secret(local, agent.id, given.secret).status == 200


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize(
    ("wanted", "error", "member"),
    [
        (AuthChange(BY_KEY), Invalid, "jwks"),
        (AuthChange(BY_KEY, '{"keys": []}'), Invalid, "jwks"),
        (AuthChange("client_secret_basic", JWKS), Invalid, "jwks"),
        (AuthChange("tls_client_auth"), Invalid, "method"),
        (AuthChange("client_secret_post"), Conflict, ""),
        (AuthChange("client_secret_basic", "", 31 * 24 * HOUR), Invalid, "overlap"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(local, auth, wanted, error, member):
    """Keys that lack, keys that are none, another word, the way it has, too long."""
    before = local.desk.agents.show("invoice-bot")[0]
    with pytest.raises(error) as refused:
        auth.change("invoice-bot", wanted, by=BY)
    assert (refused.value.member or "") == member
    assert local.desk.agents.show("invoice-bot")[0] == before
    assert local.desk.entries("agent.auth_changed") == []


def test_who_must_sign_requests_keeps_a_key_for_it(local, agent, auth):
    """Keys that come take the place of all, by the rules of every change."""
    ed = json.dumps({"keys": [new_key("EdDSA", "b").jwk]})
    local.desk.agents.update(agent.id, AgentChanges(jwks=JWKS, request_alg="ES256"), by=BY)
    with pytest.raises(Invalid, match="no ES256 key"):
        auth.change("invoice-bot", AuthChange(BY_KEY, ed), by=BY)
    assert auth.change("invoice-bot", AuthChange(BY_KEY), by=BY).agent.jwks[0]["kid"] == "a"


def test_the_log_says_which_way_it_was_and_until_when(local, agent, auth):
    """And what was given ahead to other credentials ends."""
    given_ahead = local.desk.standing_grant(
        local.desk.approval(agent.id, local.desk.users.all()[0].id)
    )
    auth.change("invoice-bot", AuthChange(BY_KEY, JWKS, HOUR), by=BY)
    (entry,) = local.desk.entries("agent.auth_changed")
    assert entry["facts"] == {
        "was": "client_secret_post",
        "method": BY_KEY,
        "was_until": local.clock.now() + HOUR,
        "keys": ["a"],
    }
    with local.services.store.read() as view:
        ended = view.standing_grants.get(given_ahead.id)
    assert ended.ended_because == "key_rotated"
