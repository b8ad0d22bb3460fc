"""A request with a login_hint_token is for the target of its token exchange and nothing else."""

import json

import pytest

from server.protocol.approvals.states import State
from server.services.ciba.login_hints import LoginHints
from server.services.clients.agent_forms import AgentChanges
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY, register_agent
from tests.support.builders.site import ISSUER
from tests.support.clients.agent import PAYMENT_DETAILS
from tests.support.inputs.dpop_proofs import proof, thumbprint
from tests.support.inputs.handmade_jwts import new_key

FRONT = "sayso_ag_front00000000000"


@pytest.fixture
def parent(local, person):
    """A token of a different agent that acts for Ana, and that already has an actor."""
    chain = json.dumps({"sub": FRONT, "iss": "http://localhost:8470", "sub_profile": "ai_agent"})
    front = register_agent(local.admin, "front-bot").agent
    return local.admin.token(front.id, person.user.id, "parent", chain=chain, depth=1)


@pytest.fixture
def hint(local, agent, parent):
    """Create hints like a token exchange does."""

    def make(scope="payments:read", details=(), for_agent=agent.id, parent_token=parent):
        services = local.services
        hints = LoginHints(
            services.signer, services.verifier, services.secrets, services.server_policy
        )
        with local.services.store.write() as tx:
            bot = tx.directory.agent(for_agent)
            return hints.make(tx, bot, parent_token, resource=PAY, scope=(scope,), details=details)

    return make


def _ask(agent, token, **changes):
    fixed = {"login_hint": None, "scope": "openid", "resource": None, "login_hint_token": token}
    return agent.ask(**{**fixed, **changes})


def test_a_hinted_request_is_for_the_target_of_the_exchange(agent, person, local, hint, parent):
    """The request itself only contains the scope openid."""
    answered = _ask(agent, hint())
    approval = local.approval_for(answered.json["auth_req_id"])
    assert (approval.user_id, approval.resource, approval.scope) == (
        person.user.id,
        PAY,
        "payments:read",
    )
    assert approval.parent_id == parent.id
    assert answered.json["expires_in"] == 300
    assert json.loads(approval.display)["agent"]["through"] == ["front-bot", "(deleted agent)"]


def test_the_token_of_a_hinted_request_nests_the_actors_and_expires_with_the_parent(
    agent, person, local, hint
):
    """RFC 8693 4.1: the agent is the outermost actor and contains the previous one."""
    local.clock.forward(2 * MINUTE)
    handle = _ask(agent, hint()).json["auth_req_id"]
    person.refresh()
    person.approve(local.approval_for(handle).id)
    token = agent.poll(handle).json
    claims = local.claims(token["access_token"])
    assert claims["act"]["sub"] == agent.id
    assert claims["act"]["act"]["sub"] == FRONT
    assert token["expires_in"] == 180


def test_details_come_from_the_hint_or_the_request(agent, local, hint):
    """Details of the exchange are fixed; without them, the request may send details."""
    details = json.dumps(PAYMENT_DETAILS)
    fixed = _ask(agent, hint("payments:transfer", tuple(PAYMENT_DETAILS)))
    brought = _ask(agent, hint("payments:transfer"), authorization_details=details)
    for answered in (fixed, brought):
        approval = local.approval_for(answered.json["auth_req_id"])
        assert json.loads(approval.details) == PAYMENT_DETAILS


@pytest.mark.parametrize(
    "changes",
    [
        {"resource": "https://other.example"},
        {"scope": "openid payments:transfer"},
        {"authorization_details": json.dumps([{**PAYMENT_DETAILS[0], "payee": "Me"}])},
        {"login_hint": "ana"},
        {"id_token_hint": "a.b.c"},
    ],
)
def test_parameters_that_contradict_the_hint_are_refused(agent, hint, changes):
    """A request has one target, which is that of the hint."""
    token = hint(details=tuple(PAYMENT_DETAILS))
    assert _ask(agent, token, **changes).refusal == (400, "invalid_request")


def test_parameters_that_agree_with_the_hint_are_accepted(agent, hint):
    """Equal parameters are redundant, but not an error."""
    agreeing = {"resource": PAY, "scope": "openid payments:read"}
    assert _ask(agent, hint(), **agreeing).status == 200


def test_a_hint_is_used_once_and_repeats_with_its_idempotency_key(agent, hint):
    """A refused request does not use up the hint; a repeated call gets the same approval."""
    token = hint()
    assert _ask(agent, token, requested_expiry="0").status == 400
    first, again = (
        _ask(agent, token, headers={"idempotency-key": "once"}).json["auth_req_id"]
        for _ in range(2)
    )
    assert first == again
    assert _ask(agent, token).refusal == (400, "invalid_request")


def test_a_new_token_of_the_same_exchange_with_the_same_key_gets_the_same_request(agent, hint):
    """A restarted agent repeats the exchange, and the person still sees only one request."""
    key = {"idempotency-key": "k"}
    first = _ask(agent, hint(), headers=key).json
    assert _ask(agent, hint(), headers=key).json["auth_req_id"] == first["auth_req_id"]
    other = _ask(agent, hint(scope="payments:transfer"), headers=key)
    assert other.refusal == (400, "invalid_request")


def test_the_hint_of_another_agent_is_refused(agent, local, hint):
    """A hint is valid only for the agent that it was issued to."""
    other = register_agent(local.admin, "other-bot").agent
    assert _ask(agent, hint(for_agent=other.id)).refusal == (400, "invalid_request")


def test_an_expired_hint_returns_expired_login_hint_token(agent, local, hint):
    """CB-057, CB-182: the error tells the agent to exchange the token again."""
    token = hint()
    local.clock.forward(5 * MINUTE)
    assert _ask(agent, token).refusal == (400, "expired_login_hint_token")


@pytest.mark.parametrize("token", ["x", "a.b.c", "e30.e30.e30"])
def test_a_hint_that_we_did_not_issue_is_refused(agent, token):
    """CB-058: the hint must be signed by this server."""
    assert _ask(agent, token).refusal == (400, "invalid_request")


def test_revoking_the_parent_ends_the_hint_and_its_request(agent, person, local, hint, parent):
    """The hint is refused, and a request that was already made cannot be approved."""
    first, second = hint(), hint()
    handle = _ask(agent, first).json["auth_req_id"]
    with local.services.store.write() as tx:
        tx.delegations.revoke_tree(parent.id, tx.now)
    assert _ask(agent, second).refusal == (400, "invalid_request")
    approval = local.approval_for(handle)
    assert person.approve(approval.id).status == 409
    assert local.stored_approval(approval.id).reason == "parent_ended"


def test_a_hint_for_a_person_whom_the_agent_may_not_ask_is_refused(agent, local, hint):
    """A hint for a person who has since been disabled is refused too."""
    token = hint()
    local.admin.agents.update(agent.id, AgentChanges(asks=("admin",)), by=BY)
    assert _ask(agent, token).refusal == (400, "unknown_user_id")
    local.admin.agents.update(agent.id, AgentChanges(asks=None), by=BY)
    local.admin.users.disable("ana", by=BY)
    assert _ask(agent, token).status == 400


def test_a_hint_for_more_than_the_agents_current_permissions_is_refused(agent, local, hint):
    """Current permissions apply, not those at the time of the exchange."""
    token = hint()
    local.admin.agents.update(agent.id, AgentChanges(scopes=("payments:transfer",)), by=BY)
    assert _ask(agent, token).refusal == (400, "invalid_scope")


def test_with_hidden_users_a_hint_for_an_unaskable_person_stays_pending(template, open_local):
    """The request has no parent token and asks nobody."""
    local = open_local(unknown_user="hide")
    agent = template.agent(local)
    person = template.person(local)
    parent = local.admin.token(agent.id, person.user.id, "parent")
    services = local.services
    hints = LoginHints(services.signer, services.verifier, services.secrets, services.server_policy)
    with services.store.write() as tx:
        bot = tx.directory.agent(agent.id)
        token = hints.make(tx, bot, parent, resource=PAY, scope=("payments:read",), details=())
    local.admin.agents.update(agent.id, AgentChanges(asks=("admin",)), by=BY)
    approval = local.approval_for(_ask(agent, token).json["auth_req_id"])
    assert (approval.user_id, approval.parent_id, approval.state) == (None, None, State.PENDING)


def test_a_push_agent_proves_the_key_of_a_bound_parent_in_the_request(
    agent, person, local, hint, parent
):
    """CB-173: without the right proof, nobody is asked and the hint is not used."""
    key, other = new_key("ES256"), new_key("ES256")
    endpoint = {"delivery": "push", "notification_endpoint": "http://127.0.0.1:9/hook"}
    local.admin.agents.update(agent.id, AgentChanges(**endpoint), by=BY)
    bound = local.admin.token(parent.client_id, person.user.id, "bound", jkt=thumbprint(key))
    token = hint(parent_token=bound)
    form = {
        "scope": "openid",
        "login_hint_token": token,
        "client_notification_token": "t0ken",
        **agent.credentials,
    }
    assert local.post_form("/bc-authorize", form).refusal == (400, "invalid_dpop_proof")
    proofs = [proof(other, f"{ISSUER}/bc-authorize", local.clock.now())]
    refused = local.post_form("/bc-authorize", form, proofs=proofs)
    assert refused.refusal == (400, "invalid_dpop_proof")
    proofs = [proof(key, f"{ISSUER}/bc-authorize", local.clock.now())]
    answered = local.post_form("/bc-authorize", form, proofs=proofs)
    assert answered.status == 200
    assert local.approval_for(answered.json["auth_req_id"]).jkt == thumbprint(key)
