"""The sample request for a new agent must be one that the server accepts."""

import json

import pytest

from server.protocol.policy.risks import Risk
from server.services.approvers.groups import Groups
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.sample_requests import IDENTITY, SampleRequests
from server.services.resources.resources import ResourceChanges
from tests.support.builders.installation import BY, PAY, PAYMENT, add_user, register_agent

MAIL = "https://mail.example"
NEEDED = {"payments:read": "payment.transfer", "payments:transfer": "payment.transfer"}


@pytest.fixture
def agent(admin_services):
    """An agent of two resources; both scopes of one of them require an action type."""
    add_user(admin_services)
    admin_services.resources.add(MAIL, {"mail:read": Risk.LOW}, {}, by=BY)
    admin_services.actions.add(json.dumps(PAYMENT), by=BY)
    admin_services.resources.add(PAY, dict.fromkeys(NEEDED, Risk.LOW), NEEDED, by=BY)
    return register_agent(admin_services, resources=(MAIL, PAY), scopes=tuple(NEEDED)).agent


def _sample(admin_services, agent, **changes):
    if changes:
        agent = admin_services.agents.update(agent.id, AgentChanges(**changes), by=BY)
    return SampleRequests(admin_services.store).for_agent(agent)


def test_details_are_added_if_every_scope_requires_them(admin_services, agent):
    """The sample uses the resource that has the scope, even if it is not the agent's first."""
    sample = _sample(admin_services, agent)
    assert (sample.resource, sample.scope) == (PAY, "payments:read")
    assert [detail["type"] for detail in sample.details] == ["payment.transfer"]
    assert set(PAYMENT["schema"]["required"]) <= set(sample.details[0])


def test_a_scope_that_requires_no_details_is_preferred(admin_services, agent):
    """A request without details makes the example program shorter."""
    sample = _sample(admin_services, agent, scopes=(*NEEDED, "mail:read"))
    assert (sample.resource, sample.scope, sample.details) == (MAIL, "mail:read", ())


def test_a_scope_that_is_not_allowed_at_a_resource_is_not_used(admin_services, agent):
    """The sample respects the agent's limits at individual resources."""
    sample = _sample(admin_services, agent, only={PAY: ("payments:transfer",)})
    assert (sample.resource, sample.scope) == (PAY, "payments:transfer")


def test_without_an_example_the_sample_requests_the_users_id(admin_services, agent):
    """The type may be disallowed, its example too large, or the agent without permissions."""
    assert _sample(admin_services, agent, action_types=()) == IDENTITY
    long_array = {"type": "array", "items": {"type": "string", "maxLength": 9}, "minItems": 40}
    members = {"memo": {"type": "string", "maxLength": 9}, **dict.fromkeys("abcdefgh", long_array)}
    schema = {"type": "object", "properties": members, "required": ["memo"]}
    texts = {"type": "odd", "headline": "Pay {memo}", "material": ["/memo"]}
    action_type = {**PAYMENT, **texts, "schema": {**schema, "additionalProperties": False}}
    admin_services.actions.add(json.dumps(action_type), by=BY)
    admin_services.resources.update(
        PAY, ResourceChanges(requires=dict.fromkeys(NEEDED, "odd")), by=BY
    )
    assert _sample(admin_services, agent, action_types=None) == IDENTITY
    assert _sample(admin_services, agent, resources=(), scopes=()) == IDENTITY


def test_the_sample_asks_a_user_whom_the_agent_can_ask(admin_services, agent):
    """A request cannot name a group, so it names a member of the group."""
    samples = SampleRequests(admin_services.store)
    add_user(admin_services, "ben")
    Groups(admin_services.store, admin_services.secrets).add("finance", ["ben"], by=BY)
    Groups(admin_services.store, admin_services.secrets).add("empty", [], by=BY)
    assert samples.user(agent) == "admin"
    for asks, user in (
        (["ben"], "ben"),
        (["empty", "finance"], "ben"),
        (["empty"], "USER"),
    ):
        changed = admin_services.agents.update(agent.id, AgentChanges(asks=asks), by=BY)
        assert samples.user(changed) == user
