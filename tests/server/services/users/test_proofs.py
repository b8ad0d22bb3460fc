"""DPoP at the token endpoint: bound tokens, valid and invalid proofs, and required nonces."""

import pytest

from server.services.clients.agent_forms import AgentChanges
from tests.support.builders.callers import LocalAgent
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY
from tests.support.builders.site import ISSUER
from tests.support.inputs.dpop_proofs import proof, thumbprint
from tests.support.inputs.handmade_jwts import new_key

TOKEN = f"{ISSUER}/token"
INVALID_PROOF = (400, "invalid_dpop_proof")


@pytest.fixture(scope="module")
def key():
    """A key of the agent."""
    return new_key("ES256")


@pytest.fixture
def prove(key, local):
    """Makes a current proof for the token endpoint."""
    return lambda **changes: proof(key, TOKEN, local.clock.now(), **changes)


@pytest.fixture
def bound(agent, local):
    """An agent that must use DPoP."""
    local.admin.agents.update("invoice-bot", AgentChanges(dpop_bound=True), by=BY)
    return agent


def test_a_proof_binds_the_token_to_its_key(agent, key, local, prove):
    """DP-30, AT-32: `token_type` is DPoP, and `cnf` has the thumbprint of the key."""
    answer = agent.alone(prove())
    assert (answer.status, answer.json["token_type"]) == (200, "DPoP")
    claims = local.claims(answer.json["access_token"])
    assert claims["cnf"] == {"jkt": thumbprint(key)}
    with local.services.store.read() as view:
        assert view.delegations.get(claims["jti"]).jkt == thumbprint(key)


def test_without_a_proof_the_token_is_a_bearer_token(agent, local):
    """DP-31: DPoP is optional for the client."""
    answer = agent.alone()
    assert answer.json["token_type"] == "Bearer"
    assert "cnf" not in local.claims(answer.json["access_token"])


def test_an_agent_that_must_use_dpop_is_refused_without_a_proof(bound, prove):
    """DP-32, NG-088, CB-144: the token endpoint refuses it for every grant type."""
    handle, _ = bound.request_approval()
    assert bound.alone().refusal == INVALID_PROOF
    assert bound.poll(handle).refusal == INVALID_PROOF
    assert bound.alone(prove()).status == 200


def test_redeeming_with_a_proof_yields_a_bound_token(bound, key, local, person, prove):
    """DP-36: the token is bound to the key of the proof."""
    handle, approval = bound.request_payment()
    person.approve(approval.id)
    answer = bound.poll(handle, proofs=[prove()])
    assert answer.json["token_type"] == "DPoP"
    assert local.claims(answer.json["access_token"])["cnf"] == {"jkt": thumbprint(key)}


def test_a_stored_response_is_only_returned_to_the_same_key(agent, local, person, prove):
    """The same idempotency key with the proof of a different key is refused."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    first = agent.poll(handle, proofs=[prove()], idempotency_key="one")
    repeated = agent.poll(handle, proofs=[prove()], idempotency_key="one")
    assert first.json == repeated.json
    other_key_proof = proof(new_key("ES256"), TOKEN, local.clock.now())
    for proofs in ([other_key_proof], []):
        assert agent.poll(handle, proofs=proofs, idempotency_key="one").refusal == (
            400,
            "invalid_grant",
        )


def test_a_proof_is_used_once(agent, prove):
    """DP-21: a proof that is sent again is refused."""
    dpop_proof = prove()
    assert agent.alone(dpop_proof).status == 200
    assert agent.alone(dpop_proof).refusal == INVALID_PROOF


def test_an_invalid_proof_yields_no_token(agent, local, prove):
    """DP-01, DP-16: every invalid proof is refused, and no token is issued."""
    for proofs in ([prove(), prove()], [prove(iat=1)], [prove(htu=f"{ISSUER}/other")], ["x"]):
        assert agent.alone(*proofs).refusal == INVALID_PROOF
    assert local.admin.entries("token.issued") == []


def test_the_client_is_authenticated_before_its_proof(local):
    """The error for an invalid proof must not reveal whether a client exists."""
    unknown_agent = LocalAgent(local, "sayso_ag_nobody", "sayso_cs_no")
    assert unknown_agent.alone("x").refusal == (401, "invalid_client")


class TestNonces:
    """DPoP nonces of the server, where the setting requires them (RFC 9449 8)."""

    @pytest.fixture
    def local(self, open_local):
        """A server that requires nonces."""
        return open_local(dpop_nonce="required")

    def test_a_proof_without_a_nonce_is_refused_with_one(self, agent, prove):
        """DP-40, DP-43, DP-18: the refusal contains a nonce for the next proof."""
        refused = agent.alone(prove())
        assert refused.refusal == (400, "use_dpop_nonce")
        nonce = refused.headers["DPoP-Nonce"]
        assert len(nonce) == 43
        assert agent.alone(prove(nonce=nonce)).status == 200

    def test_each_response_contains_the_next_nonce(self, agent, local, prove):
        """DP-44: an active client is never refused for an old nonce."""
        nonce = agent.alone(prove()).headers["DPoP-Nonce"]
        for _ in range(5):
            answer = agent.alone(prove(nonce=nonce))
            assert answer.status == 200
            nonce = answer.headers["DPoP-Nonce"]
            local.clock.forward(4 * MINUTE)

    @pytest.mark.parametrize("nonce", ["", "x", 1, None, ["x"], {"x": 1}])
    def test_an_invalid_nonce_is_refused(self, agent, prove, nonce):
        """DP-18, DP-42, DP-43: a nonce of any type is refused unless it is valid."""
        assert agent.alone(prove(nonce=nonce)).refusal == (400, "use_dpop_nonce")

    def test_a_nonce_expires_after_ten_minutes(self, agent, local, prove):
        """A proof made in advance is useless once its nonce has expired."""
        nonce = agent.alone(prove()).headers["DPoP-Nonce"]
        local.clock.forward(10 * MINUTE)
        assert agent.alone(prove(nonce=nonce)).refusal == (400, "use_dpop_nonce")

    def test_terminals_and_requests_without_a_proof_need_no_nonce(self, agent, person):
        """The key of a terminal cannot sign proofs in advance elsewhere."""
        assert agent.alone().status == 200
        assert "DPoP-Nonce" not in agent.alone().headers
        assert person.refresh().status == 200


def test_without_the_setting_no_nonce_is_issued(agent, prove):
    """A nonce that the client sends is ignored."""
    answer = agent.alone(prove(nonce="x"))
    assert answer.status == 200
    assert "DPoP-Nonce" not in answer.headers
