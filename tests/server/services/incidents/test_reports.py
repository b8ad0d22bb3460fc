"""Who says that they did not ask for something ends it, and stops whoever made it."""

from collections.abc import Mapping
from typing import Any

import pytest

from server.model.clients import Agent
from tests.support.builders.callers import LocalAgent, LocalTerminal, new_person, new_resource
from tests.support.builders.clock import MINUTE
from tests.support.builders.consents import ask, wanted
from tests.support.builders.installation import BY, registered
from tests.support.builders.site import Answer, LocalSite

_SAID = {"decision": "deny", "code": "suspicious", "ceremony": "none"}


def _report(person: LocalTerminal, approval_id: str, **members: Any) -> Answer:
    jws = person.decision(approval_id, person.session, **_SAID)
    body = {"decision": jws, **members}
    return person.call("POST", f"/api/approvals/{approval_id}/report", body)


def _state(local: LocalSite, agent_id: str) -> str:
    return local.desk.agents.show(agent_id)[0].state


def _another(local: LocalSite, name: str) -> Agent:
    return registered(local.desk, name, auth_method="client_secret_post").agent


def test_a_report_denies_the_request_and_stops_its_agent(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """The session's key is enough. Its tokens and its requests to others end with it."""
    ben = new_person(local, "ben")
    token = agent.paid(person)
    _, other = agent.asked(login_hint="ben")
    _, approval = agent.asked()
    answer = _report(person, approval.id)
    assert (answer.status, answer.json["approval"]["state"]) == (200, "denied")
    assert answer.json["approval"]["decided"]["code"] == "suspicious"
    (stopped,) = answer.json["agents"]
    assert stopped == {
        "client_id": agent.id,
        "name": "invoice-bot",
        "state": "quarantined",
        "tokens_revoked": 1,
        "descendants_revoked": 0,
        "requests_cancelled": 1,
        "approved_cancelled": 0,
    }
    assert _state(local, agent.id) == "quarantined"
    assert local.stored(other.id).reason == "agent_quarantined"
    assert local.desk.events(ben.user)[-1] == "approval.cancelled"
    assert not new_resource(local).introspect(token).json["active"]


def test_the_agent_is_told_that_it_is_stopped_and_later_that_it_was_denied(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """At every grant; once it is enabled again, the request itself says never to ask again."""
    handle, approval = agent.asked()
    _report(person, approval.id)
    for told in (agent.poll(handle), agent.ask(), agent.alone()):
        assert told.refusal == (400, "unauthorized_client")
        assert told.json["reason"] == "agent_quarantined"
    local.desk.agents.enable(agent.id, by=BY)
    told = agent.poll(handle)
    assert told.refusal == (400, "access_denied")
    members = {name: told.json[name] for name in ("reason", "deny_code", "retry")}
    assert members == {"reason": "denied", "deny_code": "suspicious", "retry": "never"}


def test_every_agent_that_acts_for_the_person_can_be_stopped_at_once(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """By consent, by token or by an open request; who acts for somebody else alone goes on."""
    ben = new_person(local, "ben")
    by_consent, by_token = _another(local, "by-consent"), _another(local, "by-token")
    by_request, stranger = _another(local, "by-request"), _another(local, "stranger")
    ended = _another(local, "ended")
    desk = local.desk
    desk.consent(by_consent.id, person.user.id)
    desk.consent(stranger.id, ben.user.id, "sayso_co_2")
    desk.token(by_token.id, person.user.id)
    desk.token(ended.id, person.user.id, "t2", expires_at=local.clock.now())
    desk.approval(by_request.id, person.user.id)
    _, approval = agent.asked()
    answer = _report(person, approval.id, scope="every_agent")
    assert answer.json["scope"] == "every_agent"
    names = {one["name"] for one in answer.json["agents"]}
    assert names == {"invoice-bot", "by-consent", "by-token", "by-request"}
    states = {one.name: one.state for one in desk.agents.all()}
    assert {name for name, state in states.items() if state == "quarantined"} == names


def test_the_incident_holds_the_evidence(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """Who, when, from which device, which request by its digest, which agent by which secret."""
    _, approval = agent.asked()
    answer = _report(person, approval.id, note="I was asleep")
    found = local.site.incidents.incidents.show(answer.json["incident"])
    incident, evidence = found.incident, found.evidence
    assert (incident.user_id, incident.device_id) == (person.user.id, person.device_id)
    assert (incident.note, incident.opened_at) == ("I was asleep", local.clock.now())
    assert evidence["approval"]["action_digest"] == approval.action_digest
    assert evidence["approval"]["was"] == "pending"
    (one,) = evidence["agents"]
    assert (one["was"], one["secrets"][0]["hint"]) == ("enabled", agent.secret[-4:])
    decided = local.desk.entries("approval.denied")[-1]
    assert decided["facts"]["signed"] == evidence["signed"]


def test_a_report_is_written_down_with_its_counts(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """Once for the agent and once for the incident, both with who did it."""
    _, approval = agent.asked()
    answer = _report(person, approval.id)
    (stopped,) = local.desk.entries("agent.quarantined")
    (opened,) = local.desk.entries("incident.opened")
    assert {stopped["actor"], opened["actor"]} == {f"user:{person.user.id}"}
    assert stopped["facts"]["incident"] == opened["facts"]["incident"] == answer.json["incident"]
    assert stopped["facts"]["requests_cancelled"] == 0
    assert opened["action"] == approval.action_digest
    assert opened["facts"]["agents"][0]["tokens_revoked"] == 0


def test_the_owners_and_the_hook_are_told(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """On their screens and in the outbox; an owner who is disabled is not."""
    owner = new_person(local, "olga")
    given = registered(local.desk, "theirs", auth_method="client_secret_post", owners=("olga",))
    approval = local.desk.approval(given.agent.id, person.user.id)
    _report(person, agent.asked()[1].id)
    assert "alarm.incident_opened" not in local.desk.events(owner.user)
    opened = _report(person, approval.id).json["incident"]
    with local.services.store.read() as view:
        told = view.feed.after(0, owner.user.id, 100)[-1]
    assert told.event == "alarm.incident_opened"
    assert (told.agent_id, told.incident_id) == (given.agent.id, opened)
    assert {
        "event": "alarm.incident_opened",
        "at": local.clock.now(),
        "incident": opened,
        "approval": approval.id,
        "user": person.user.id,
    } in local.messages()


@pytest.mark.parametrize(
    "said",
    [
        {"decision": "deny", "code": "not_needed", "ceremony": "none"},
        {"decision": "approve", "code": None, "ceremony": "confirm"},
        {**_SAID, "action_digest": "A" * 43},
        {**_SAID, "nonce": "another"},
    ],
)
def test_only_a_denial_of_this_very_request_as_suspicious_is_a_report(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite, said: Mapping[str, Any]
) -> None:
    """Whatever else is signed changes nothing."""
    _, approval = agent.asked()
    jws = person.decision(approval.id, person.low, **said)
    path = f"/api/approvals/{approval.id}/report"
    assert person.call("POST", path, {"decision": jws}).refusal == (422, "invalid_decision")
    assert (local.stored(approval.id).state, _state(local, agent.id)) == ("pending", "enabled")
    assert local.site.incidents.incidents.search() == []


@pytest.mark.parametrize(
    "members", [{"scope": "everybody"}, {"note": "x" * 501}, {"note": "a\u202eb"}, {"more": 1}]
)
def test_a_report_that_is_none_changes_nothing(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite, members: Mapping[str, Any]
) -> None:
    """The error names the member."""
    _, approval = agent.asked()
    assert _report(person, approval.id, **members).refusal == (422, "invalid_body")
    assert (local.stored(approval.id).state, _state(local, agent.id)) == ("pending", "enabled")


def test_nobody_reports_another_persons_request_and_nobody_waits_for_them(
    agent: LocalAgent,
    person: LocalTerminal,
    local: LocalSite,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is not there for them, before any unit of work that everybody waits for begins."""
    ben = new_person(local, "ben")
    _, approval = agent.asked()
    jws = person.decision(approval.id, person.session, **_SAID)

    def nobody_waits(_: object) -> None:
        raise AssertionError("administration began")

    monkeypatch.setattr("server.storage.store.SqlStore.administer", nobody_waits)
    path = f"/api/approvals/{approval.id}/report"
    assert ben.call("POST", path, {"decision": jws}).refusal == (404, "not_found")


def test_what_was_approved_and_not_fetched_is_withdrawn(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """The answer stands in the record, and gives nothing any more."""
    handle, approval = agent.asked()
    person.approve(approval.id)
    answer = _report(person, approval.id)
    assert answer.json["approval"]["state"] == "cancelled"
    assert local.stored(approval.id).reason == "reported"
    local.desk.agents.enable(agent.id, by=BY)
    assert agent.poll(handle).json["reason"] == "cancelled"


def test_what_was_fetched_stays_what_it_was_and_its_token_ends(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """A person may find out later that it was not they who asked."""
    token = agent.paid(person)
    (approval,) = person.call("GET", "/api/approvals", query={"state": "decided"}).json["items"]
    answer = _report(person, approval["id"])
    assert answer.json["approval"]["state"] == "redeemed"
    assert answer.json["agents"][0]["tokens_revoked"] == 1
    assert not new_resource(local).introspect(token).json["active"]


def test_what_ran_out_can_be_reported(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """It expired, which is not a denial, and the agent is stopped all the same."""
    _, approval = agent.asked(requested_expiry="60")
    jws = person.decision(approval.id, person.session, **_SAID)
    local.clock.forward(MINUTE)
    path = f"/api/approvals/{approval.id}/report"
    answer = person.call("POST", path, {"decision": jws})
    assert answer.json["approval"]["state"] == "expired"
    assert _state(local, agent.id) == "quarantined"
    assert local.desk.entries("approval.denied") == []


def test_the_same_report_again_is_the_same_incident_until_somebody_acts_on_it(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """A lost receipt is fetched again; an agent that was let go on can be reported anew."""
    _, approval = agent.asked()
    jws = person.decision(approval.id, person.session, **_SAID)
    path = f"/api/approvals/{approval.id}/report"
    first, again = (person.call("POST", path, {"decision": jws}).json for _ in range(2))
    assert again == first
    local.desk.agents.enable(agent.id, by=BY)
    third = person.call("POST", path, {"decision": jws}).json["incident"]
    assert third != first["incident"]
    assert _state(local, agent.id) == "quarantined"
    local.site.incidents.incidents.close(third, None, by=BY)
    local.site.incidents.incidents.close(first["incident"], None, by=BY)
    fourth = person.call("POST", path, {"decision": jws}).json
    assert fourth["incident"] not in {first["incident"], third}
    assert len(local.desk.entries("incident.opened")) == 3


def test_an_agent_that_is_disabled_stays_disabled(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """That is more than a quarantine; nothing is counted twice."""
    _, approval = agent.asked()
    local.desk.agents.disable(agent.id, by=BY)
    (one,) = _report(person, approval.id).json["agents"]
    assert (one["state"], one["requests_cancelled"]) == ("disabled", 0)
    assert local.desk.entries("agent.quarantined") == []


def test_what_no_agent_asked_for_is_denied_and_looked_into(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> None:
    """An agent that is gone by now cannot be stopped; the report is there."""
    approval = local.desk.approval("sayso_ag_gone", person.user.id)
    answer = _report(person, approval.id)
    assert (answer.json["approval"]["state"], answer.json["agents"]) == ("denied", [])
    assert local.site.incidents.incidents.show(answer.json["incident"]).states == {}
    assert _state(local, agent.id) == "enabled"


def test_a_consent_that_nobody_asked_for_is_reported_in_the_same_way(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """It is a request like any other."""
    approval = ask(local, wanted(local, agent, person))
    answer = _report(person, approval.id)
    assert answer.json["approval"]["state"] == "denied"
    assert _state(local, agent.id) == "quarantined"


def test_a_revoked_device_reports_nothing(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """Its session has ended."""
    _, approval = agent.asked()
    jws = person.decision(approval.id, person.session, **_SAID)
    person.call("DELETE", "/api/devices/self")
    path = f"/api/approvals/{approval.id}/report"
    assert person.call("POST", path, {"decision": jws}).status in {401, 403}
    assert _state(local, agent.id) == "enabled"


def test_what_the_reporter_let_the_agent_have_ends_with_the_report(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """Once it is enabled again, it takes their signature; what others let it have is theirs."""
    ben = new_person(local, "ben")
    mine = local.desk.consent(agent.id, person.user.id)
    other = local.desk.consent(_another(local, "other").id, person.user.id, "sayso_co_2")
    theirs = local.desk.consent(agent.id, ben.user.id, "sayso_co_3")
    _, approval = agent.asked()
    assert _report(person, approval.id).status == 200
    with local.services.store.read() as view:
        ended = [view.consents.get(one.id).revoked_at for one in (mine, other, theirs)]
    assert [at is not None for at in ended] == [True, False, False]
    entry = local.desk.entries("consent.revoked")[-1]
    assert (entry["cause"], entry["actor"]) == ("reported", f"user:{person.user.id}")
