"""Reporting a request denies it and quarantines its agent."""

from collections.abc import Mapping
from typing import Any

import pytest

from server.model.clients import Agent
from tests.support.builders.callers import LocalAgent, LocalTerminal, new_person, new_resource
from tests.support.builders.clock import MINUTE
from tests.support.builders.consents import ask, consent_request
from tests.support.builders.installation import BY, register_agent
from tests.support.builders.site import Answer, LocalSite

_SUSPICIOUS = {"decision": "deny", "code": "suspicious", "ceremony": "none"}


def _report(person: LocalTerminal, approval_id: str, **members: Any) -> Answer:
    jws = person.decision(approval_id, person.session, **_SUSPICIOUS)
    body = {"decision": jws, **members}
    return person.call("POST", f"/api/approvals/{approval_id}/report", body)


def _state(local: LocalSite, agent_id: str) -> str:
    return local.admin.agents.show(agent_id)[0].state


def _new_agent(local: LocalSite, name: str) -> Agent:
    return register_agent(local.admin, name, auth_method="client_secret_post").agent


def test_a_report_denies_the_request_and_quarantines_its_agent(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """The session key is enough; the agent's tokens and its other requests end too."""
    ben = new_person(local, "ben")
    token = agent.paid(person)
    _, other = agent.request_approval(login_hint="ben")
    _, approval = agent.request_approval()
    answer = _report(person, approval.id)
    assert (answer.status, answer.json["approval"]["state"]) == (200, "denied")
    assert answer.json["approval"]["decided"]["code"] == "suspicious"
    (quarantined,) = answer.json["agents"]
    assert quarantined == {
        "client_id": agent.id,
        "name": "invoice-bot",
        "state": "quarantined",
        "tokens_revoked": 1,
        "descendants_revoked": 0,
        "requests_cancelled": 1,
        "approved_cancelled": 0,
    }
    assert _state(local, agent.id) == "quarantined"
    assert local.stored_approval(other.id).reason == "agent_quarantined"
    assert local.admin.events(ben.user)[-1] == "approval.cancelled"
    assert not new_resource(local).introspect(token).json["active"]


def test_the_reported_agent_is_told_of_the_quarantine_and_later_of_the_denial(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """After the agent is enabled again, the reported request says never to retry."""
    handle, approval = agent.request_approval()
    _report(person, approval.id)
    for answer in (agent.poll(handle), agent.ask(), agent.alone()):
        assert answer.refusal == (400, "unauthorized_client")
        assert answer.json["reason"] == "agent_quarantined"
    local.admin.agents.enable(agent.id, by=BY)
    answer = agent.poll(handle)
    assert answer.refusal == (400, "access_denied")
    members = {name: answer.json[name] for name in ("reason", "deny_code", "retry")}
    assert members == {"reason": "denied", "deny_code": "suspicious", "retry": "never"}


def test_a_report_can_quarantine_every_agent_that_acts_for_the_person(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """An agent with a consent, a token or an open request acts for the person."""
    ben = new_person(local, "ben")
    by_consent, by_token = _new_agent(local, "by-consent"), _new_agent(local, "by-token")
    requesting_agent, bens_agent = _new_agent(local, "by-request"), _new_agent(local, "of-ben")
    ended, revoked = _new_agent(local, "ended"), _new_agent(local, "revoked")
    admin = local.admin
    revoked_consent = admin.consent(revoked.id, person.user.id, "sayso_co_3")
    with admin.store.write() as tx:
        tx.consents.revoke(revoked_consent.id, tx.now)
    admin.consent(by_consent.id, person.user.id)
    admin.consent(bens_agent.id, ben.user.id, "sayso_co_2")
    admin.token(by_token.id, person.user.id)
    admin.token(ended.id, person.user.id, "t2", expires_at=local.clock.now())
    admin.approval(requesting_agent.id, person.user.id)
    _, approval = agent.request_approval()
    answer = _report(person, approval.id, scope="every_agent")
    assert answer.json["scope"] == "every_agent"
    names = {reported["name"] for reported in answer.json["agents"]}
    assert names == {"invoice-bot", "by-consent", "by-token", "by-request"}
    states = {
        registered_agent.name: registered_agent.state for registered_agent in admin.agents.all()
    }
    assert {name for name, state in states.items() if state == "quarantined"} == names


def test_the_incident_contains_the_evidence(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """The evidence has the person, time, device, request digest, agent and its secrets."""
    _, approval = agent.request_approval()
    answer = _report(person, approval.id, note="I was asleep")
    shown = local.site.incidents.incidents.show(answer.json["incident"])
    incident, evidence = shown.incident, shown.evidence
    assert (incident.user_id, incident.device_id) == (person.user.id, person.device_id)
    assert (incident.note, incident.opened_at) == ("I was asleep", local.clock.now())
    assert evidence["approval"]["action_digest"] == approval.action_digest
    assert evidence["approval"]["state_before"] == "pending"
    (reported,) = evidence["agents"]
    assert (reported["state_before"], reported["secrets"][0]["hint"]) == (
        "enabled",
        agent.secret[-4:],
    )
    decided = local.admin.entries("approval.denied")[-1]
    assert decided["facts"]["signed"] == evidence["signed"]


def test_a_report_writes_an_entry_for_the_agent_and_for_the_incident(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """Both entries name the reporter and contain the counts."""
    _, approval = agent.request_approval()
    answer = _report(person, approval.id)
    (quarantined,) = local.admin.entries("agent.quarantined")
    (opened,) = local.admin.entries("incident.opened")
    assert {quarantined["actor"], opened["actor"]} == {f"user:{person.user.id}"}
    assert (
        quarantined["facts"]["incident"] == opened["facts"]["incident"] == answer.json["incident"]
    )
    assert quarantined["facts"]["requests_cancelled"] == 0
    assert opened["action"] == approval.action_digest
    assert opened["facts"]["agents"][0]["tokens_revoked"] == 0


def test_a_report_notifies_the_owners_and_the_webhook(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """Only the owners of the reported agent get the alarm, and the webhook gets one too."""
    owner = new_person(local, "olga")
    registration = register_agent(
        local.admin, "theirs", auth_method="client_secret_post", owners=("olga",)
    )
    approval = local.admin.approval(registration.agent.id, person.user.id)
    _report(person, agent.request_approval()[1].id)
    assert "alarm.incident_opened" not in local.admin.events(owner.user)
    opened = _report(person, approval.id).json["incident"]
    with local.services.store.read() as view:
        event = view.feed.events_after(0, owner.user.id, 100)[-1]
    assert event.event == "alarm.incident_opened"
    assert (event.agent_id, event.incident_id) == (registration.agent.id, opened)
    assert {
        "event": "alarm.incident_opened",
        "at": local.clock.now(),
        "incident": opened,
        "approval": approval.id,
        "user": person.user.id,
    } in local.messages()


@pytest.mark.parametrize(
    "changes",
    [
        {"decision": "deny", "code": "not_needed", "ceremony": "none"},
        {"decision": "approve", "code": None, "ceremony": "confirm"},
        {**_SUSPICIOUS, "action_digest": "A" * 43},
        {**_SUSPICIOUS, "nonce": "another"},
    ],
)
def test_only_a_signed_denial_as_suspicious_is_a_report(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite, changes: Mapping[str, Any]
) -> None:
    """Any other decision is refused and changes nothing."""
    _, approval = agent.request_approval()
    jws = person.decision(approval.id, person.low, **changes)
    path = f"/api/approvals/{approval.id}/report"
    assert person.call("POST", path, {"decision": jws}).refusal == (422, "invalid_decision")
    assert (local.stored_approval(approval.id).state, _state(local, agent.id)) == (
        "pending",
        "enabled",
    )
    assert local.site.incidents.incidents.search() == []


@pytest.mark.parametrize(
    "members", [{"scope": "everybody"}, {"note": "x" * 501}, {"note": "a\u202eb"}, {"more": 1}]
)
def test_an_invalid_report_changes_nothing(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite, members: Mapping[str, Any]
) -> None:
    """The request stays pending and the agent stays enabled."""
    _, approval = agent.request_approval()
    assert _report(person, approval.id, **members).refusal == (422, "invalid_body")
    assert (local.stored_approval(approval.id).state, _state(local, agent.id)) == (
        "pending",
        "enabled",
    )


def test_a_report_of_another_persons_request_is_not_found(
    agent: LocalAgent,
    person: LocalTerminal,
    local: LocalSite,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The request is rejected before the unit of work that locks out administration opens."""
    ben = new_person(local, "ben")
    _, approval = agent.request_approval()
    jws = person.decision(approval.id, person.session, **_SUSPICIOUS)

    def fail_if_administering(_: object) -> None:
        raise AssertionError("administration was locked out")

    monkeypatch.setattr("server.storage.store.SqlStore.administer", fail_if_administering)
    path = f"/api/approvals/{approval.id}/report"
    assert ben.call("POST", path, {"decision": jws}).refusal == (404, "not_found")


def test_reporting_an_approved_request_withdraws_it(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """An approval that was not redeemed yet is canceled and no longer yields a token."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    answer = _report(person, approval.id)
    assert answer.json["approval"]["state"] == "cancelled"
    assert local.stored_approval(approval.id).reason == "reported"
    local.admin.agents.enable(agent.id, by=BY)
    assert agent.poll(handle).json["reason"] == "cancelled"


def test_reporting_a_redeemed_request_revokes_its_token(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """The token is revoked, and the request stays redeemed."""
    token = agent.paid(person)
    (approval,) = person.call("GET", "/api/approvals", query={"state": "decided"}).json["items"]
    answer = _report(person, approval["id"])
    assert answer.json["approval"]["state"] == "redeemed"
    assert answer.json["agents"][0]["tokens_revoked"] == 1
    assert not new_resource(local).introspect(token).json["active"]


def test_an_expired_request_can_be_reported(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """The request stays expired, and the agent is quarantined."""
    _, approval = agent.request_approval(requested_expiry="60")
    jws = person.decision(approval.id, person.session, **_SUSPICIOUS)
    local.clock.forward(MINUTE)
    path = f"/api/approvals/{approval.id}/report"
    answer = person.call("POST", path, {"decision": jws})
    assert answer.json["approval"]["state"] == "expired"
    assert _state(local, agent.id) == "quarantined"
    assert local.admin.entries("approval.denied") == []


def test_repeating_a_report_returns_the_same_incident_until_somebody_acts(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """An agent that was released can be reported again, with a new incident."""
    _, approval = agent.request_approval()
    jws = person.decision(approval.id, person.session, **_SUSPICIOUS)
    path = f"/api/approvals/{approval.id}/report"
    first, repeated = (person.call("POST", path, {"decision": jws}).json for _ in range(2))
    assert repeated == first
    local.admin.agents.enable(agent.id, by=BY)
    third = person.call("POST", path, {"decision": jws}).json["incident"]
    assert third != first["incident"]
    assert _state(local, agent.id) == "quarantined"
    local.site.incidents.incidents.close(third, None, by=BY)
    local.site.incidents.incidents.close(first["incident"], None, by=BY)
    fourth = person.call("POST", path, {"decision": jws}).json
    assert fourth["incident"] not in {first["incident"], third}
    assert len(local.admin.entries("incident.opened")) == 3


def test_a_disabled_agent_stays_disabled(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """The report writes no quarantine entry, and its counts are zero."""
    _, approval = agent.request_approval()
    local.admin.agents.disable(agent.id, by=BY)
    (reported,) = _report(person, approval.id).json["agents"]
    assert (reported["state"], reported["requests_cancelled"]) == ("disabled", 0)
    assert local.admin.entries("agent.quarantined") == []


def test_a_request_from_a_deleted_agent_can_be_reported(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> None:
    """The request is denied, and the incident names no agent."""
    approval = local.admin.approval("sayso_ag_gone", person.user.id)
    answer = _report(person, approval.id)
    assert (answer.json["approval"]["state"], answer.json["agents"]) == ("denied", [])
    assert local.site.incidents.incidents.show(answer.json["incident"]).states == {}
    assert _state(local, agent.id) == "enabled"


def test_a_consent_request_can_be_reported(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """A consent request is reported in the same way as any other request."""
    approval = ask(local, consent_request(local, agent, person))
    answer = _report(person, approval.id)
    assert answer.json["approval"]["state"] == "denied"
    assert _state(local, agent.id) == "quarantined"


def test_a_revoked_device_cannot_report(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """Revoking the device ended its session."""
    _, approval = agent.request_approval()
    jws = person.decision(approval.id, person.session, **_SUSPICIOUS)
    person.call("DELETE", "/api/devices/self")
    path = f"/api/approvals/{approval.id}/report"
    assert person.call("POST", path, {"decision": jws}).status in {401, 403}
    assert _state(local, agent.id) == "enabled"


def test_a_report_revokes_the_consents_of_the_reporter(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite
) -> None:
    """Consents of other people and consents for other agents stay in force."""
    ben = new_person(local, "ben")
    mine = local.admin.consent(agent.id, person.user.id)
    other = local.admin.consent(_new_agent(local, "other").id, person.user.id, "sayso_co_2")
    theirs = local.admin.consent(agent.id, ben.user.id, "sayso_co_3")
    _, approval = agent.request_approval()
    assert _report(person, approval.id).status == 200
    with local.services.store.read() as view:
        ended = [view.consents.get(consent.id).revoked_at for consent in (mine, other, theirs)]
    assert [revoked_at is not None for revoked_at in ended] == [True, False, False]
    entry = local.admin.entries("consent.revoked")[-1]
    assert (entry["cause"], entry["actor"]) == ("reported", f"user:{person.user.id}")
