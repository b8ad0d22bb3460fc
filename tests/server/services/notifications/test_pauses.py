"""Pauses after denials: administrators see them, and a refused agent is told when they end."""

import json

import pytest

from server.model.approvers import Deputy
from server.model.users import User
from server.services.clients.agent_forms import AgentChanges
from server.services.notifications.request_limits import PAUSE_MS, Pauses
from server.services.policy.policies import Policies
from server.services.refusals import NotFound
from server.services.users.users import UserChanges
from tests.support.builders.callers import LocalAgent, LocalTerminal, new_person
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, PAYMENT
from tests.support.builders.policies import rule
from tests.support.builders.site import LocalSite
from tests.support.clients.agent import PAYMENT_DETAILS


@pytest.fixture
def pauses(local: LocalSite) -> Pauses:
    """The service that administrators use."""
    return Pauses(local.services.store, local.server_policy)


def _deny(agent: LocalAgent, person: LocalTerminal, times: int = 3) -> None:
    for _ in range(times):
        _, approval = agent.request_approval(login_hint=person.user.name)
        assert person.deny(approval.id).status == 200


def test_a_paused_agent_is_told_when_it_may_send_requests_again(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """The refusal has machine-readable members, and the person is not notified."""
    _deny(agent, person)
    before = len(local.admin.events(person.user))
    refused = agent.ask()
    assert refused.refusal == (403, "access_denied")
    members = {name: refused.json[name] for name in ("reason", "retry", "retry_at")}
    assert members == {
        "reason": "denied_repeatedly",
        "retry": "not_before",
        "retry_at": "2025-10-09T09:23:20.000Z",
    }
    assert len(local.admin.events(person.user)) == before
    assert agent.ask(login_hint="ana").status == 403


def test_a_later_denial_extends_the_pause(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """A request made before the pause is denied a minute later, and the pause starts again."""
    approvals = [agent.request_approval()[1] for _ in range(4)]
    for approval in approvals[:3]:
        person.deny(approval.id)
    local.clock.forward(MINUTE)
    person.deny(approvals[3].id)
    assert agent.ask().json["retry_at"] == "2025-10-09T09:24:20.000Z"


def test_a_pause_is_listed_until_it_ends(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite, pauses: Pauses
) -> None:
    """The list shows the person, the type and the end; two denials are not a pause."""
    ben = new_person(local, "ben")
    _deny(agent, ben, 2)
    assert pauses.of_agent(agent.id) == []
    _deny(agent, person)
    (pause,) = pauses.of_agent("invoice-bot")
    assert (pause.user_name, pause.type) == ("ana", "")
    assert pause.until == local.clock.now() + PAUSE_MS
    _deny(agent, ben, 1)
    assert [pause.user_name for pause in pauses.of_agent(agent.id)] == ["ana", "ben"]
    local.clock.forward(PAUSE_MS - 1)
    assert len(pauses.of_agent(agent.id)) == 2
    local.clock.forward(1)
    assert pauses.of_agent(agent.id) == []
    with pytest.raises(NotFound):
        pauses.of_agent("nobody")


def test_a_paused_action_type_is_named(
    agent: LocalAgent, person: LocalTerminal, pauses: Pauses
) -> None:
    """The pause names the action type, and other requests are not paused."""
    for _ in range(3):
        person.deny(agent.request_payment()[1].id)
    (pause,) = pauses.of_agent(agent.id)
    assert pause.type == "payment.transfer"
    assert agent.ask().status == 200


def test_an_administrator_sees_the_pauses_of_an_agent(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """The API returns the pauses with the agent."""
    local.admin.users.update("ana", UserChanges(roles=("admin",)), by=BY)
    path = f"/api/agents/{agent.id}"
    assert person.call("GET", path).json["pauses"] == []
    _deny(agent, person)
    assert person.call("GET", path).json["pauses"] == [
        {
            "user": {"id": person.user.id, "name": "ana"},
            "type": None,
            "until": "2025-10-09T09:23:20.000Z",
        }
    ]


def test_owners_are_notified_when_a_pause_begins(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """Each pause sends one alarm to the enabled owners, the audit log and the webhook."""
    owner, disabled_owner = new_person(local, "olga"), new_person(local, "gone")
    changes = AgentChanges(add_owners=("olga", "gone"))
    local.admin.agents.update(agent.id, changes, by=BY)
    local.admin.users.disable("gone", by=BY)

    def alarms(user: User) -> int:
        return local.admin.events(user).count("alarm.agent_paused")

    _deny(agent, person, 2)
    assert alarms(owner.user) == 0
    approvals = [agent.request_approval()[1] for _ in range(2)]
    for approval in approvals:
        person.deny(approval.id)
    assert (alarms(owner.user), alarms(disabled_owner.user), alarms(person.user)) == (1, 0, 0)
    with local.services.store.read() as view:
        assert view.feed.events_after(0, owner.user.id, 100)[-1].agent_id == agent.id
    (entry,) = local.admin.entries("agent.paused")
    assert (entry["agent_id"], entry["subject"]) == (agent.id, person.user.id)
    assert entry["facts"] == {"type": None, "until": local.clock.now() + PAUSE_MS}
    webhooks = [message for message in local.messages() if message["event"] == "alarm.agent_paused"]
    assert [message["agent"] for message in webhooks] == [agent.id]
    local.clock.forward(PAUSE_MS)
    person.refresh()
    _deny(agent, person)
    assert alarms(owner.user) == 2
    assert len(local.admin.entries("agent.paused")) == 2


ANOTHER_APPROVER = "Another approver of this request has denied such requests repeatedly."
ONLY_BEN = 'ask.who = ["ben"]'


def _set_ask_rule(local: LocalSite, *lines: str) -> None:
    Policies(local.services.store).set(rule("ask", *lines), by=BY)


def _deny_for(agent: LocalAgent, denier: LocalTerminal, *names: str) -> None:
    for name in names:
        _, approval = agent.request_approval(login_hint=name)
        assert denier.deny(approval.id).status == 200


def test_a_pause_counts_the_denials_of_one_approver(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite, pauses: Pauses
) -> None:
    """One approver's denials count for all users, and the error names another approver."""
    ben = new_person(local, "ben")
    names = [new_person(local, name).user.name for name in ("cleo", "dan")]
    _set_ask_rule(local, ONLY_BEN)
    _deny_for(agent, ben, "ana", *names)
    (pause,) = pauses.of_agent(agent.id)
    assert (pause.user_id, pause.until) == (ben.user.id, local.clock.now() + PAUSE_MS)
    (entry,) = local.admin.entries("agent.paused")
    assert entry["subject"] == ben.user.id
    refused = agent.ask(login_hint="cleo")
    assert refused.refusal == (403, "access_denied")
    assert refused.json["error_description"].startswith(ANOTHER_APPROVER)
    assert refused.json["retry_at"] == "2025-10-09T09:23:20.000Z"
    _set_ask_rule(local)
    assert agent.ask(login_hint=person.user.name).status == 200
    refused = agent.ask(login_hint="ben")
    assert refused.json["error_description"].startswith("This person has denied")


def test_denials_by_others_do_not_pause_requests_to_the_person(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite, pauses: Pauses
) -> None:
    """Two denials by Ben and one by Ana pause requests to neither of them."""
    ben = new_person(local, "ben")
    _set_ask_rule(local, ONLY_BEN)
    _deny_for(agent, ben, "ana", "ana")
    _deny_for(agent, person, "ana")
    assert pauses.of_agent(agent.id) == []
    assert agent.ask().status == 200


def test_denials_by_a_deputy_pause_requests_that_the_deputy_can_decide(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """The pause blocks the requests that the deputy could decide until the deputy steps down."""
    ben = new_person(local, "ben")
    local.admin.actions.update(json.dumps({**PAYMENT, "deputies": True}), by=BY)
    with local.services.store.write() as tx:
        tx.deputies.add(_deputy(person, ben, tx.now))
    for _ in range(3):
        assert ben.deny(agent.request_payment()[1].id).status == 200
    details = json.dumps(PAYMENT_DETAILS)
    request = {"scope": "openid payments:transfer", "authorization_details": details}
    refused = agent.ask(**request)
    assert refused.json["error_description"].startswith(ANOTHER_APPROVER)
    assert ben.call("DELETE", "/api/deputies/sayso_dy_1").status == 204
    assert agent.ask(**request).status == 200


def _deputy(person: LocalTerminal, deputy: LocalTerminal, now: int) -> Deputy:
    return Deputy(
        id="sayso_dy_1",
        user_id=person.user.id,
        deputy_id=deputy.user.id,
        from_at=now,
        to_at=now + DAY,
        state="begun",
        device_id="sayso_dv_1",
        created_at=now,
    )
