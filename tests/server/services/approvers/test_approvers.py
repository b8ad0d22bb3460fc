"""Who may see and decide an approval: the user it is for, and everyone added as an approver."""

from typing import Any

import pytest

from server.model.approvals import Approval
from server.model.approvers import NamedApprover
from server.services.approvers import approvers
from tests.support.builders.callers import LocalAgent, LocalTerminal, new_person
from tests.support.builders.site import Answer, LocalSite


@pytest.fixture
def bob(local: LocalSite) -> LocalTerminal:
    """Another person, with a device."""
    return new_person(local, "bob")


def _ask(local: LocalSite, approval: Approval, person: LocalTerminal, **members: Any) -> list[str]:
    approver = NamedApprover(person.user.id, "backup", **members)
    with local.services.store.write() as tx:
        return [row.user_id for row in approvers.add(tx, approval, [approver], local.server_policy)]


def _request_ids(person: LocalTerminal, state: str = "waiting") -> list[str]:
    answer = person.call("GET", "/api/approvals", query={"state": state})
    return [item["id"] for item in answer.json["items"]]


def _events(local: LocalSite, person: LocalTerminal) -> list[str]:
    with local.services.store.read() as view:
        events = view.feed.events_after(0, person.user.id, 1_000)
    return [event.event for event in events if event.approval_id is not None]


def _make_calls(person: LocalTerminal, approval_id: str) -> dict[str, Answer]:
    """Send every call about a request except the decision."""
    path = f"/api/approvals/{approval_id}"
    return {
        "show": person.call("GET", path),
        "narrow": person.call("POST", f"{path}/narrowing", {"token_seconds": 60}),
        "pin": person.pin(approval_id),
    }


def test_a_request_of_another_person_is_not_found(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal
) -> None:
    """Every call about a request of another person returns not_found."""
    _, approval = agent.request_approval()
    jws = person.decision(approval.id)
    answers = _make_calls(bob, approval.id) | {
        "decide": bob.send_decision(approval.id, jws),
        "report": bob.call(
            "POST", f"/api/approvals/{approval.id}/report", {"decision": jws, "scope": "agent"}
        ),
    }

    assert {name: answer.refusal for name, answer in answers.items()} == dict.fromkeys(
        answers, (404, "not_found")
    )
    assert _request_ids(bob) == _request_ids(bob, "decided") == []
    assert _events(local, bob) == []


def test_an_added_approver_may_make_every_call_about_the_request(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal
) -> None:
    """The approver sees the request in their list and feed, and may decide it."""
    _, approval = agent.request_approval()
    assert _ask(local, approval, bob) == [bob.user.id]
    assert _ask(local, approval, bob) == []
    statuses = {name: reply.status for name, reply in _make_calls(bob, approval.id).items()}
    pending = (_request_ids(bob), _request_ids(person))
    answer = bob.deny(approval.id)

    assert statuses == dict.fromkeys(statuses, 200)
    assert pending == ([approval.id], [approval.id])
    assert answer.json["decided"]["by"]["name"] == "bob"
    assert _request_ids(bob) == _request_ids(person) == []
    assert _request_ids(bob, "decided") == _request_ids(person, "decided") == [approval.id]
    events = ["approval.requested", "approval.decided"]
    assert _events(local, bob) == _events(local, person) == events


def test_the_requested_person_is_not_notified_twice(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> None:
    """The user of the request may also be a substitute for another approver."""
    _, approval = agent.request_approval()
    assert _ask(local, approval, person) == [person.user.id]
    assert _events(local, person) == ["approval.requested"]


def test_a_report_by_another_approver_quarantines_the_agents_that_act_for_them(
    local: LocalSite, agent: LocalAgent, bob: LocalTerminal
) -> None:
    """The scope every_agent quarantines every agent that acts for the reporter."""
    _, approval = agent.request_approval()
    _ask(local, approval, bob)
    signed = bob.decision(
        approval.id, bob.session, decision="deny", code="suspicious", ceremony="none"
    )
    answer = bob.call(
        "POST",
        f"/api/approvals/{approval.id}/report",
        {"decision": signed, "scope": "every_agent"},
    )

    assert answer.status == 200, answer.body
    assert answer.json["approval"]["state"] == "denied"
    assert agent.ask().refusal == (400, "unauthorized_client")


def test_the_expiry_reason_is_no_device_only_if_no_approver_has_one(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal
) -> None:
    """A device of any approver makes the reason undeliverable instead."""
    _, approval = agent.request_approval()
    with local.services.store.write() as tx:
        row = tx.approvals.get(approval.id)
        assert row is not None
        assert [approver.user_id for approver in tx.approvers.list_for(row)] == [person.user.id]
    _ask(local, approval, bob)
    person.call("DELETE", f"/api/devices/{person.device_id}")
    local.clock.forward(86_400_000)
    local.services.sweeper.round()

    assert local.stored_approval(approval.id).reason == "undeliverable"
