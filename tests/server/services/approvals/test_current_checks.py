"""What an approval stands on, judged again: whatever was tightened since the question wins."""

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
def gone(local):
    """What an approval stood on and is no longer there."""

    def judge(approval):
        with local.services.store.write() as tx:
            return local.site.approvals.checks.invalid_reason(tx, approval)

    return judge


def _agent(local, **changes):
    local.desk.agents.update("invoice-bot", AgentChanges(**changes), by=BY)


def _resource(local, **changes):
    local.desk.resources.update(PAY, ResourceChanges(**changes), by=BY)


def _action(local, **changes):
    local.desk.actions.update(json.dumps({**PAYMENT, **changes}), by=BY)


def _narrowed_schema(local):
    schema = json.loads(json.dumps(PAYMENT["schema"]))
    schema["properties"]["payee"]["maxLength"] = 3
    _action(local, schema=schema)


def _another_resource_alone(local):
    local.desk.resources.add(MAIL, {"mail:send": Risk.LOW}, {}, by=BY)
    _agent(local, resources=(MAIL,), scopes=("mail:send",))


def _asks_only_ben(local):
    new_person(local, "ben")
    _agent(local, asks=("ben",))


TIGHTENED = {
    "the grant": lambda local: _agent(local, grant_types=(GRANT_CLIENT_CREDENTIALS,)),
    "whom it may ask": _asks_only_ben,
    "the agent's scopes": lambda local: _agent(local, scopes=("payments:read",)),
    "the agent's resources": _another_resource_alone,
    "the agent's action types": lambda local: _agent(local, action_types=()),
    "the resource's scopes": lambda local: _resource(local, without=("payments:transfer",)),
    "the scope's risk": lambda local: _resource(local, scopes={"payments:transfer": Risk.CRITICAL}),
    "the action's risk": lambda local: _action(local, risk="critical"),
    "the action's schema": _narrowed_schema,
}
LOOSENED = {
    "nothing": lambda _: None,
    "a limit that the request keeps": lambda local: _agent(
        local, action_types=("payment.transfer",)
    ),
    "a lower risk": lambda local: _action(local, risk="low"),
    "another description": lambda local: _agent(local, description="Pays bills"),
    "a need that the request meets": lambda local: _resource(
        local, requires={"payments:transfer": "payment.transfer"}
    ),
    "whom it may ask, this person too": lambda local: _agent(local, asks=("ana",)),
}


@pytest.mark.parametrize("change", TIGHTENED.values(), ids=TIGHTENED)
def test_a_tightened_rule_ends_a_request_before_it_is_approved(agent, person, local, gone, change):
    """The yes comes too late; the record says that a rule has changed."""
    _, approval = agent.asked_payment()
    change(local)
    assert gone(approval) == "policy_changed"
    refused = person.approve(approval.id)
    assert refused.refusal == (409, "not_pending")
    stored = local.stored(approval.id)
    assert (stored.state, stored.reason) == (State.CANCELLED, "policy_changed")


@pytest.mark.parametrize("change", TIGHTENED.values(), ids=TIGHTENED)
def test_a_tightened_rule_ends_a_request_that_was_approved(agent, person, local, change):
    """No token is minted, whatever the person said."""
    handle, approval = agent.asked_payment()
    assert person.approve(approval.id).status == 200
    change(local)
    answer = agent.poll(handle)
    assert answer.status == 400
    assert local.desk.entries("token.issued") == []
    assert local.stored(approval.id).state is not State.REDEEMED


@pytest.mark.parametrize("change", LOOSENED.values(), ids=LOOSENED)
def test_a_rule_that_still_allows_it_changes_nothing(agent, person, local, gone, change):
    """What was shown was at least as much as it takes today."""
    handle, approval = agent.asked_payment()
    change(local)
    assert gone(approval) is None
    person.approve(approval.id)
    assert agent.poll(handle).status == 200


def test_a_required_type_that_the_request_does_not_have_ends_it(agent, local, gone):
    """A scope alone is not enough any more."""
    _, approval = agent.asked()
    _resource(local, requires={"payments:read": "payment.transfer"})
    assert gone(approval) == "policy_changed"


def test_an_action_type_that_was_deleted_ends_its_requests(agent, local, gone):
    """Nobody can say any more what it means."""
    _, approval = agent.asked_payment()
    local.desk.actions.delete("payment.transfer", by=BY)
    assert gone(approval) == "policy_changed"


def test_who_and_what_is_gone_is_named(agent, local, gone):
    """Agent before person before resource."""
    _, approval = agent.asked()
    assert gone(approval) is None
    with local.services.store.administer() as tx:
        tx.resources.delete(PAY)
    assert gone(approval) == "resource_deleted"
    local.desk.users.disable("ana", by=BY)
    assert gone(approval) == "user_disabled"
    local.desk.agents.disable("invoice-bot", by=BY)
    assert gone(approval) == "agent_disabled"
    local.desk.agents.delete("invoice-bot", by=BY)
    assert gone(approval) == "agent_disabled"


def test_an_agent_that_ran_out_is_gone_too(agent, local, gone):
    """Nobody needs to disable it."""
    _, approval = agent.asked()
    _agent(local, expires_at=local.clock.now() + MINUTE)
    assert gone(approval) is None
    local.clock.forward(MINUTE)
    assert gone(approval) == "agent_disabled"


def test_a_phantom_stands_on_nobody(open_local, template):
    """There is no person who could have said yes."""
    local = open_local(unknown_user="hide")
    _, phantom = template.agent(local).asked(login_hint="nobody")
    with local.services.store.write() as tx:
        assert local.site.approvals.checks.invalid_reason(tx, phantom) == "user_disabled"
