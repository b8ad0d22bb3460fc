"""An administrator asks one more person about a request that waits, if their yes would count."""

from dataclasses import replace

import pytest

from server.services.approvals.backups import BackupRequests
from server.services.approvers.groups import GroupChanges, Groups
from server.services.clients.agent_forms import AgentChanges
from server.services.policy.judging import Judge
from server.services.policy.policies import Policies
from server.services.refusals import Conflict, Invalid, NotFound
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY, approval_row
from tests.support.builders.policies import rule


@pytest.fixture
def ask(local):
    """Asks somebody about a request too."""
    services = local.services
    made = BackupRequests(services.store, Judge(services.secrets), services.rules)
    return lambda approval, name: made.ask(approval.id, name, by=BY)


@pytest.fixture
def ben(local, person):
    """Somebody beside ana, whom no request asks."""
    assert person.user.name == "ana"
    return new_person(local, "ben")


def _rules(local, *lines):
    Policies(local.services.store).set(rule("ask", *lines), by=BY)


def _waiting(person):
    return [one["id"] for one in person.call("GET", "/api/approvals").json["items"]]


def test_whoever_is_added_is_called_and_answers_in_the_place_of_the_person(agent, local, ask, ben):
    """On their screens at once, in the log by whom; the token says who said yes."""
    handle, approval = agent.asked()
    assert ask(approval, "ben").user.name == "ana"
    assert _waiting(ben) == [approval.id]
    assert local.desk.events(ben.user)[-1] == "approval.requested"
    entry = local.desk.entries("approval.escalated")[-1]
    assert (entry["actor"], entry["decision"]) == (BY, "approver_added")
    assert (entry["approval_id"], entry["facts"]) == (approval.id, {"to": ben.user.id})
    assert ben.approve(approval.id).status == 200
    claims = local.claims(agent.poll(handle).json["access_token"])
    assert claims["approval"]["decided_by"] == {"users": [ben.user.id]}
    assert "acr" not in claims


def test_nobody_is_asked_twice(agent, ask, ben):
    """Neither the person it is for, nor who was added before."""
    assert ben.user.name == "ben"
    _, approval = agent.asked()
    ask(approval, "ben")
    for name in ("ana", "ben"):
        with pytest.raises(Conflict, match="already an approver"):
            ask(approval, name)


def test_whom_a_rule_excludes_stays_excluded(agent, local, ask, ben):
    """The owner of the agent, and whoever would lend the yes of an excluded person."""
    assert ben.user.name == "ben"
    _rules(local, 'ask.exclude = ["owner"]')
    _, approval = agent.asked()
    with pytest.raises(Conflict, match="excludes admin"):
        ask(approval, "admin")
    assert ask(approval, "ben").approval.id == approval.id


def test_somebody_who_stands_for_an_excluded_person_answers_for_themselves(agent, local, ask, ben):
    """What the person may not say is not said by another in their name."""
    _rules(local, 'ask.exclude = ["user"]')
    handle, approval = agent.asked()
    ask(approval, "ben")
    assert ben.approve(approval.id).status == 200
    claims = local.claims(agent.poll(handle).json["access_token"])
    assert claims["approval"]["decided_by"] == {"users": [ben.user.id]}


def test_where_rules_name_people_only_those_can_be_asked(agent, local, ask, ben, person):
    """By name, or as a member of a group that they joined after the request was made."""
    groups = Groups(local.desk.store, local.desk.secrets)
    groups.add("finance", ["ana"], by=BY)
    _rules(local, 'ask.who = ["finance"]')
    _, approval = agent.asked()
    with pytest.raises(Conflict, match="ben is not among them"):
        ask(approval, "ben")
    groups.update("finance", GroupChanges(members=("ana", "ben")), by=BY)
    ask(approval, "ben")
    assert ben.approve(approval.id).status == 200
    assert _waiting(person) == []


def test_who_is_named_by_now_is_asked_as_themselves(agent, local, ask, ben):
    """A rule that names them came after the request."""
    _, approval = agent.asked()
    _rules(local, 'ask.who = ["ana", "ben"]')
    ask(approval, "ben")
    assert ben.approve(approval.id).status == 200


@pytest.mark.parametrize("how", ["denied", "expired", "cancelled"])
def test_what_is_over_is_put_to_nobody(agent, person, local, ask, ben, how):
    """However it ended."""
    assert ben.user.name == "ben"
    _, approval = agent.asked()
    if how == "denied":
        person.deny(approval.id)
    elif how == "expired":
        local.clock.forward(2 * DAY)
    else:
        local.desk.agents.disable(agent.id, by=BY)
    with pytest.raises(Conflict, match="no longer pending"):
        ask(approval, "ben")


def test_only_requests_of_agents_to_somebody_are_put_to_others(agent, local, ask, ben, person):
    """What a person began is theirs, and nobody is behind a phantom."""
    assert ben.user.name == "ben"
    own = local.desk.approval(agent.id, person.user.id, kind="consent")
    phantom = replace(approval_row("sayso_ap_p", agent.id, "", local.clock.now()), user_id=None)
    with local.services.store.write() as tx:
        tx.approvals.add(phantom)
    for approval in (own, phantom):
        with pytest.raises(Conflict, match="only to an agent"):
            ask(approval, "ben")


def test_who_cannot_answer_is_not_asked(agent, local, ask, ben):
    """Unknown, or stopped; and an unknown request is said to be so."""
    _, approval = agent.asked()
    with pytest.raises(NotFound, match="nobody"):
        ask(approval, "nobody")
    local.desk.users.disable(ben.user.id, by=BY)
    with pytest.raises(Invalid, match="ben is disabled"):
        ask(approval, "ben")
    with pytest.raises(NotFound, match="approvals list"):
        ask(replace(approval, id="sayso_ap_missing"), "ben")


def _forbid(local, _agent):
    Policies(local.services.store).set(rule("deny"), by=BY)


def _narrow(local, agent):
    local.desk.agents.update(agent.id, AgentChanges(scopes=("payments:transfer",)), by=BY)


@pytest.mark.parametrize("change", [_forbid, _narrow])
def test_what_nobody_can_approve_any_more_is_put_to_nobody(agent, local, ask, ben, change):
    """A rule forbids it by now, or the agent may not have it."""
    assert ben.user.name == "ben"
    _, approval = agent.asked()
    change(local, agent)
    with pytest.raises(Conflict, match="policy or its resource has changed"):
        ask(approval, "ben")
