"""An administrator adds one more person as an approver of a pending request."""

from dataclasses import replace

import pytest

from server.services.approvals.backups import BackupRequests
from server.services.approvers.groups import GroupChanges, Groups
from server.services.clients.agent_forms import AgentChanges
from server.services.policy.evaluation import Evaluator
from server.services.policy.policies import Policies
from server.services.refusals import Conflict, Invalid, NotFound
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY, approval_row
from tests.support.builders.policies import rule


@pytest.fixture
def ask(local):
    """Adds one more person as an approver of a request."""
    services = local.services
    service = BackupRequests(services.store, Evaluator(services.secrets), services.server_policy)
    return lambda approval, name: service.ask(approval.id, name, by=BY)


@pytest.fixture
def ben(local, person):
    """A person who is not an approver of any request yet."""
    assert person.user.name == "ana"
    return new_person(local, "ben")


def _set_ask_rule(local, *lines):
    Policies(local.services.store).set(rule("ask", *lines), by=BY)


def _pending_ids(person):
    return [item["id"] for item in person.call("GET", "/api/approvals").json["items"]]


def test_an_added_person_is_notified_and_decides_for_the_requested_one(agent, local, ask, ben):
    """The audit entry names the administrator, and the token names who decided."""
    handle, approval = agent.request_approval()
    assert ask(approval, "ben").user.name == "ana"
    assert _pending_ids(ben) == [approval.id]
    assert local.admin.events(ben.user)[-1] == "approval.requested"
    entry = local.admin.entries("approval.escalated")[-1]
    assert (entry["actor"], entry["decision"]) == (BY, "approver_added")
    assert (entry["approval_id"], entry["facts"]) == (approval.id, {"to": ben.user.id})
    assert ben.approve(approval.id).status == 200
    claims = local.claims(agent.poll(handle).json["access_token"])
    assert claims["approval"]["decided_by"] == {"users": [ben.user.id]}
    assert "acr" not in claims


def test_an_approver_cannot_be_added_twice(agent, ask, ben):
    """The user and a backup who was already added are already approvers."""
    assert ben.user.name == "ben"
    _, approval = agent.request_approval()
    ask(approval, "ben")
    for name in ("ana", "ben"):
        with pytest.raises(Conflict, match="already an approver"):
            ask(approval, name)


def test_an_excluded_person_cannot_be_added(agent, local, ask, ben):
    """A rule excludes the agent's owner, so the owner cannot be added."""
    assert ben.user.name == "ben"
    _set_ask_rule(local, 'ask.exclude = ["owner"]')
    _, approval = agent.request_approval()
    with pytest.raises(Conflict, match="excludes admin"):
        ask(approval, "admin")
    assert ask(approval, "ben").approval.id == approval.id


def test_the_substitute_of_an_excluded_person_has_their_own_vote(agent, local, ask, ben):
    """The token names only the substitute, because the excluded person has no vote."""
    _set_ask_rule(local, 'ask.exclude = ["user"]')
    handle, approval = agent.request_approval()
    ask(approval, "ben")
    assert ben.approve(approval.id).status == 200
    claims = local.claims(agent.poll(handle).json["access_token"])
    assert claims["approval"]["decided_by"] == {"users": [ben.user.id]}


def test_only_people_named_by_a_rule_can_be_added(agent, local, ask, ben, person):
    """A rule names a person directly, or through a group that they are a member of."""
    groups = Groups(local.admin.store, local.admin.secrets)
    groups.add("finance", ["ana"], by=BY)
    _set_ask_rule(local, 'ask.who = ["finance"]')
    _, approval = agent.request_approval()
    with pytest.raises(Conflict, match="ben is not one of them"):
        ask(approval, "ben")
    groups.update("finance", GroupChanges(members=("ana", "ben")), by=BY)
    ask(approval, "ben")
    assert ben.approve(approval.id).status == 200
    assert _pending_ids(person) == []


def test_a_person_named_by_a_later_rule_has_their_own_vote(agent, local, ask, ben):
    """A rule that was set after the request decides who may be added."""
    _, approval = agent.request_approval()
    _set_ask_rule(local, 'ask.who = ["ana", "ben"]')
    ask(approval, "ben")
    assert ben.approve(approval.id).status == 200


@pytest.mark.parametrize("ending", ["denied", "expired", "cancelled"])
def test_nobody_can_be_added_to_a_final_request(agent, person, local, ask, ben, ending):
    """A denied, expired or canceled request accepts no new approver."""
    assert ben.user.name == "ben"
    _, approval = agent.request_approval()
    if ending == "denied":
        person.deny(approval.id)
    elif ending == "expired":
        local.clock.forward(2 * DAY)
    else:
        local.admin.agents.disable(agent.id, by=BY)
    with pytest.raises(Conflict, match="no longer pending"):
        ask(approval, "ben")


def test_people_can_only_be_added_to_an_agents_request_to_a_user(agent, local, ask, ben, person):
    """Nobody can be added to a consent, or to a request to an unknown user."""
    assert ben.user.name == "ben"
    consent = local.admin.approval(agent.id, person.user.id, kind="consent")
    phantom = replace(approval_row("sayso_ap_p", agent.id, "", local.clock.now()), user_id=None)
    with local.services.store.write() as tx:
        tx.approvals.add(phantom)
    for approval in (consent, phantom):
        with pytest.raises(Conflict, match="only to an agent"):
            ask(approval, "ben")


def test_an_unknown_or_disabled_person_cannot_be_added(agent, local, ask, ben):
    """An unknown person or request is not found, and a disabled person is refused."""
    _, approval = agent.request_approval()
    with pytest.raises(NotFound, match="nobody"):
        ask(approval, "nobody")
    local.admin.users.disable(ben.user.id, by=BY)
    with pytest.raises(Invalid, match="ben is disabled"):
        ask(approval, "ben")
    with pytest.raises(NotFound, match=r"There is no request sayso_ap_missing\."):
        ask(replace(approval, id="sayso_ap_missing"), "ben")


def _deny_by_policy(local, _agent):
    Policies(local.services.store).set(rule("deny"), by=BY)


def _narrow(local, agent):
    local.admin.agents.update(agent.id, AgentChanges(scopes=("payments:transfer",)), by=BY)


@pytest.mark.parametrize("change", [_deny_by_policy, _narrow])
def test_nobody_can_be_added_to_a_request_that_may_not_be_approved(agent, local, ask, ben, change):
    """Policy now denies the request, or it exceeds the agent's permissions."""
    assert ben.user.name == "ben"
    _, approval = agent.request_approval()
    change(local, agent)
    with pytest.raises(Conflict, match="policy or its resource has changed"):
        ask(approval, "ben")
