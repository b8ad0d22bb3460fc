"""Checks at decision and redemption: everything that became stricter since the request applies."""

import json

import pytest

from server.protocol.approvals.states import State
from server.protocol.names import GRANT_CLIENT_CREDENTIALS
from server.protocol.policy.risks import Risk
from server.services.clients.agent_forms import AgentChanges
from server.services.resources.resources import ResourceChanges
from tests.support.builders.callers import new_person
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY, PAYMENT

MAIL = "https://mail.example"


@pytest.fixture
def current_reason(local):
    """The current reason why an approval is invalid, or None."""

    def evaluator(approval):
        with local.services.store.write() as tx:
            return local.site.approvals.checks.invalid_reason(tx, approval)

    return evaluator


def _agent(local, **changes):
    local.admin.agents.update("invoice-bot", AgentChanges(**changes), by=BY)


def _resource(local, **changes):
    local.admin.resources.update(PAY, ResourceChanges(**changes), by=BY)


def _action(local, **changes):
    local.admin.actions.update(json.dumps({**PAYMENT, **changes}), by=BY)


def _narrowed_schema(local):
    schema = json.loads(json.dumps(PAYMENT["schema"]))
    schema["properties"]["payee"]["maxLength"] = 3
    _action(local, schema=schema)


def _only_another_resource(local):
    local.admin.resources.add(MAIL, {"mail:send": Risk.LOW}, {}, by=BY)
    _agent(local, resources=(MAIL,), scopes=("mail:send",))


def _only_ben_may_approve(local):
    new_person(local, "ben")
    _agent(local, asks=("ben",))


TIGHTENED = {
    "the grant": lambda local: _agent(local, grant_types=(GRANT_CLIENT_CREDENTIALS,)),
    "the people it may ask": _only_ben_may_approve,
    "the agent's scopes": lambda local: _agent(local, scopes=("payments:read",)),
    "the agent's resources": _only_another_resource,
    "the agent's action types": lambda local: _agent(local, action_types=()),
    "the resource's scopes": lambda local: _resource(local, remove_scopes=("payments:transfer",)),
    "the scope's risk": lambda local: _resource(local, scopes={"payments:transfer": Risk.CRITICAL}),
    "the action's risk": lambda local: _action(local, risk="critical"),
    "the action's schema": _narrowed_schema,
}
LOOSENED = {
    "no change": lambda _: None,
    "a limit that the request keeps": lambda local: _agent(
        local, action_types=("payment.transfer",)
    ),
    "a lower risk": lambda local: _action(local, risk="low"),
    "another description": lambda local: _agent(local, description="Pays bills"),
    "a required type that the request has": lambda local: _resource(
        local, requires={"payments:transfer": "payment.transfer"}
    ),
    "people to ask that include this person": lambda local: _agent(local, asks=("ana",)),
}


@pytest.mark.parametrize("change", TIGHTENED.values(), ids=TIGHTENED)
def test_a_stricter_registration_cancels_a_pending_request(
    agent, person, local, current_reason, change
):
    """A request that would no longer be allowed is canceled with policy_changed."""
    _, approval = agent.request_payment()
    change(local)
    assert current_reason(approval) == "policy_changed"
    refused = person.approve(approval.id)
    assert refused.refusal == (409, "not_pending")
    stored = local.stored_approval(approval.id)
    assert (stored.state, stored.reason) == (State.CANCELLED, "policy_changed")


@pytest.mark.parametrize("change", TIGHTENED.values(), ids=TIGHTENED)
def test_a_stricter_registration_prevents_the_redemption_of_an_approval(
    agent, person, local, change
):
    """No token is issued for an approved request that would no longer be allowed."""
    handle, approval = agent.request_payment()
    assert person.approve(approval.id).status == 200
    change(local)
    answer = agent.poll(handle)
    assert answer.status == 400
    assert local.admin.entries("token.issued") == []
    assert local.stored_approval(approval.id).state is not State.REDEEMED


@pytest.mark.parametrize("change", LOOSENED.values(), ids=LOOSENED)
def test_a_change_that_still_allows_the_request_has_no_effect(
    agent, person, local, current_reason, change
):
    """The request was shown with at least the current risk and ceremony."""
    handle, approval = agent.request_payment()
    change(local)
    assert current_reason(approval) is None
    person.approve(approval.id)
    assert agent.poll(handle).status == 200


def test_a_newly_required_action_type_invalidates_the_request(agent, local, current_reason):
    """The request has only a scope, which now requires an action type."""
    _, approval = agent.request_approval()
    _resource(local, requires={"payments:read": "payment.transfer"})
    assert current_reason(approval) == "policy_changed"


def test_deleting_the_action_type_invalidates_its_requests(agent, local, current_reason):
    """A request whose action type was deleted has the reason policy_changed."""
    _, approval = agent.request_payment()
    local.admin.actions.delete("payment.transfer", by=BY)
    assert current_reason(approval) == "policy_changed"


def test_the_invalid_reason_names_what_was_deleted(agent, local, current_reason):
    """A deleted agent takes precedence over the user, and the user over the resource."""
    _, approval = agent.request_approval()
    assert current_reason(approval) is None
    with local.services.store.administer() as tx:
        tx.resources.delete(PAY)
    assert current_reason(approval) == "resource_deleted"
    local.admin.users.disable("ana", by=BY)
    assert current_reason(approval) == "user_disabled"
    local.admin.agents.disable("invoice-bot", by=BY)
    assert current_reason(approval) == "agent_disabled"
    local.admin.agents.delete("invoice-bot", by=BY)
    assert current_reason(approval) == "agent_disabled"


def test_an_expired_agent_invalidates_its_requests(agent, local, current_reason):
    """An expired agent is treated as a disabled one."""
    _, approval = agent.request_approval()
    _agent(local, expires_at=local.clock.now() + MINUTE)
    assert current_reason(approval) is None
    local.clock.forward(MINUTE)
    assert current_reason(approval) == "agent_disabled"


def test_a_request_to_an_unknown_user_is_invalid(open_local, template):
    """A phantom request is invalid with the reason user_disabled."""
    local = open_local(unknown_user="hide")
    _, approval = template.agent(local).request_approval(login_hint="nobody")
    with local.services.store.write() as tx:
        assert local.site.approvals.checks.invalid_reason(tx, approval) == "user_disabled"
