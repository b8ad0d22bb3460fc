"""Login hint tokens: issued by us to one agent, used once, and ended with their parent token."""

import pytest
from sqlalchemy import update

from server.protocol import errors
from server.protocol.approvals.states import State
from server.protocol.names import GRANT_CIBA
from server.services.ciba.login_hints import LoginHints
from server.storage.approvals.tables import approvals
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import PAY
from tests.support.builders.site import ISSUER
from tests.support.inputs.dpop_proofs import proof, thumbprint
from tests.support.inputs.handmade_jwts import new_key


@pytest.fixture
def hints(local):
    """The service that creates and reads hints."""
    services = local.services
    return LoginHints(services.signer, services.verifier, services.secrets, services.server_policy)


@pytest.fixture
def parent(local, agent, person):
    """A token of the agent for Ana."""
    return local.admin.token(agent.id, person.user.id)


@pytest.fixture
def bot(local, agent):
    """The agent's record."""
    with local.services.store.read() as view:
        return view.directory.agent(agent.id)


@pytest.fixture
def hint_token(local, hints, bot, parent):
    """A hint for reading payments."""
    with local.services.store.write() as tx:
        return hints.make(tx, bot, parent, resource=PAY, scope=("payments:read",), details=())


def test_a_hint_names_agent_person_parent_and_target(local, hints, bot, parent, hint_token):
    """The hint expires with its parent token if that is sooner than in ten minutes."""
    with local.services.store.write() as tx:
        hint = hints.read(tx, bot, hint_token)
    assert (hint.agent, hint.user, hint.parent) == (bot.id, parent.user_id, parent.id)
    assert (hint.resource, hint.scope, hint.details) == (PAY, ("payments:read",), ())
    assert hint.expires_at * 1000 == parent.expires_at


@pytest.mark.parametrize("token", ["", "x.y.z", "not a token"])
def test_a_token_that_is_not_our_hint_is_refused(local, hints, bot, token):
    """CB-058: nonsense is not accepted as a hint."""
    with local.services.store.write() as tx, pytest.raises(errors.InvalidRequest):
        hints.read(tx, bot, token)


def test_an_access_token_is_not_accepted_as_a_hint(local, agent, hints, bot):
    """CB-058: an access token has a different typ."""
    form = {"grant_type": "client_credentials", "scope": "payments:read", "resource": PAY}
    answer = local.post_form("/token", {**form, **agent.credentials})
    with local.services.store.write() as tx, pytest.raises(errors.InvalidRequest):
        hints.read(tx, bot, answer.json["access_token"])


def test_revoking_the_parent_ends_the_hint(local, hints, bot, parent, hint_token):
    """After the expiry, the error is that of an expired hint."""
    with local.services.store.write() as tx:
        tx.delegations.revoke_tree(parent.id, tx.now)
    with local.services.store.write() as tx, pytest.raises(errors.InvalidRequest, match="revoked"):
        hints.read(tx, bot, hint_token)
    local.clock.forward(5 * MINUTE)
    with local.services.store.write() as tx, pytest.raises(errors.ExpiredLoginHintToken):
        hints.read(tx, bot, hint_token)


def test_a_hint_is_used_once(local, hints, bot, hint_token):
    """A second request with the same hint is refused."""
    with local.services.store.write() as tx:
        hint = hints.read(tx, bot, hint_token)
        hints.spend(tx, hint)
        with pytest.raises(errors.InvalidRequest, match="already used"):
            hints.spend(tx, hint)


def test_a_token_of_a_hint_nests_its_actors_and_ends_with_the_parent(local, agent, person):
    """RFC 8693 4.1: the new actor is outermost, and the token expires with its parent."""
    until = local.clock.now() + 2 * MINUTE
    chain = '{"sub": "sayso_ag_first"}'
    parent = local.admin.token(
        agent.id, person.user.id, "parent", chain=chain, depth=1, expires_at=until
    )
    handle = _approved(local, agent, person, parent.id)
    claims = local.claims(agent.poll(handle).json["access_token"])
    assert claims["act"]["sub"] == agent.id
    assert claims["act"]["act"] == {"sub": "sayso_ag_first"}
    assert claims["exp"] * 1000 == until
    with local.services.store.write() as tx:
        delegation = tx.delegations.get(claims["jti"])
        assert (delegation.parent_id, delegation.depth) == (parent.id, 2)
        assert set(tx.delegations.revoke_tree(parent.id, tx.now)) == {parent.id, delegation.id}


def test_an_approval_whose_parent_was_revoked_yields_no_token(local, agent, person):
    """The request is canceled with the reason `parent_ended`."""
    parent = local.admin.token(agent.id, person.user.id, "parent")
    handle = _approved(local, agent, person, parent.id)
    with local.services.store.write() as tx:
        tx.delegations.revoke_tree(parent.id, tx.now)
    assert agent.poll(handle).refusal == (400, "access_denied")
    approval = local.approval_for(handle)
    assert (approval.state, approval.reason) == (State.CANCELLED, "parent_ended")


def test_a_token_of_a_bound_parent_needs_the_key_of_the_parent(local, agent, person):
    """An approval does not turn a bound token into a bearer token."""
    key = new_key("ES256")
    parent = local.admin.token(agent.id, person.user.id, "parent", jkt=thumbprint(key))
    handle = _approved(local, agent, person, parent.id)
    assert agent.poll(handle).refusal == (400, "invalid_dpop_proof")
    form = {"grant_type": GRANT_CIBA, "auth_req_id": handle, **agent.credentials}
    proofs = [proof(key, f"{ISSUER}/token", local.clock.now())]
    answer = local.post_form("/token", form, proofs=proofs)
    assert (answer.status, answer.json["token_type"]) == (200, "DPoP")


def _approved(local, agent, person, parent_id):
    handle, approval = agent.request_approval()
    with local.services.store.write() as tx:
        statement = update(approvals).where(approvals.c.id == approval.id)
        tx.approvals._db.execute(statement.values(parent_id=parent_id))
    assert person.approve(approval.id).status == 200
    return handle
